import { AppError, SECOND_MS, type Clock } from '@pulso/model'
import type { FastifyReply } from 'fastify'

/** Clients that are told apart within one second; a process answers fewer requests than that. */
const MAX_CLIENTS = 100_000

export interface RateLimiter {
  /** Counts a request of a client. @returns whether it is within its rate */
  take(client: string): boolean
  readonly perSecond: number
}

/**
 * Requests of each client within the running second. All counts are thrown away at its end, so nothing is kept of who
 * asks, and a request costs one look-up: this stands in front of every answer.
 */
export function createRateLimiter({
  perSecond,
  clock,
}: {
  /** 0 for no limit. */
  perSecond: number
  clock: Clock
}): RateLimiter {
  let counts = new Map<string, number>()
  let second = NaN
  return {
    perSecond,
    take(client) {
      if (perSecond === 0) return true
      const nowSecond = Math.floor(clock.now() / SECOND_MS)
      if (nowSecond !== second) {
        second = nowSecond
        counts = new Map()
      }
      const count = (counts.get(client) ?? 0) + 1
      if (count > perSecond || (count === 1 && counts.size >= MAX_CLIENTS)) return false
      counts.set(client, count)
      return true
    },
  }
}

/** The answer's headers (draft-ietf-httpapi-ratelimit-headers) and the error to answer with. */
export function toRateError(reply: FastifyReply, { perSecond }: RateLimiter): AppError {
  reply.header('retry-after', '1')
  reply.header('ratelimit', '"client";r=0;t=1')
  reply.header('ratelimit-policy', `"client";q=${perSecond};w=1`)
  return new AppError('rate-limited', `More than ${perSecond} requests in a second; please slow down`, {
    status: 429,
  })
}
