import type { Clock } from '@pulso/model'
import { msUntilToken, tokensAt } from './bucket.ts'
import type { Quota } from './quota.ts'

export type RateReason = 'message-rate' | 'byte-rate'

export interface ThrottleOptions {
  quota: Quota
  /** Waiting for so long without a break ends the connection. */
  overRateMs: number
  clock: Clock
  /** There are tokens again. */
  resume: () => void
  /** The connection begins to wait. */
  onWait: (reason: RateReason) => void
  /** It has waited for too long. */
  onOver: (reason: RateReason) => void
}

/** Holds one connection to its sender's rate: first it is not read on, and when that goes on for long it is closed. */
export interface Throttle {
  /** Whether something may be read now; `messages` and `bytes` then say how much. */
  mayRead(): boolean
  messages(): number
  bytes(): number
  /** What was read; `isAll` when nothing had to be left behind. */
  spend(messages: number, bytes: number, isAll: boolean): void
  stop(): void
}

/** Shorter waits would cost more than they are good for. */
const SHORTEST_WAIT_MS = 50

export function createThrottle(options: ThrottleOptions): Throttle {
  const { quota, clock } = options
  let timer: NodeJS.Timeout | undefined
  let overSinceMs: number | undefined

  const wait = (reason: RateReason, waitMs: number): void => {
    const nowMs = clock.now()
    if (overSinceMs === undefined || overSinceMs > nowMs) overSinceMs = nowMs
    if (nowMs - overSinceMs >= options.overRateMs) {
      options.onOver(reason)
      return
    }
    options.onWait(reason)
    timer = setTimeout(
      () => {
        timer = undefined
        options.resume()
      },
      Math.min(Math.max(SHORTEST_WAIT_MS, waitMs), options.overRateMs),
    )
  }

  return {
    mayRead() {
      if (timer) return false
      const nowMs = clock.now()
      const { messages, bytes } = quota
      if (messages && tokensAt(messages, nowMs) < 1) wait('message-rate', msUntilToken(messages))
      else if (bytes && tokensAt(bytes, nowMs) < 1) wait('byte-rate', msUntilToken(bytes))
      else return true
      return false
    },
    messages: () => (quota.messages ? Math.floor(quota.messages.tokens) : Infinity),
    bytes: () => quota.bytes?.tokens ?? Infinity,
    spend(messages, bytes, isAll) {
      if (quota.messages) quota.messages.tokens -= messages
      if (quota.bytes) quota.bytes.tokens -= bytes
      if (isAll) overSinceMs = undefined
    },
    stop() {
      clearTimeout(timer)
      timer = undefined
    },
  }
}
