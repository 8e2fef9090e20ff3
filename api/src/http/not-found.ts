import { AppError, clip, toAddressKey } from '@pulso/model'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { BARE_HEADERS } from './headers.ts'
import { handleError } from './problem.ts'
import { toRateError, type RateLimiter } from './rate-limit.ts'
import type { RouteTable } from './route-table.ts'

/** Guessing addresses is bounded like asking; a person gets a sentence and a program a problem. */
export function answerMissing(
  request: FastifyRequest,
  reply: FastifyReply,
  { table, limiter }: { table: RouteTable; limiter: RateLimiter },
): FastifyReply {
  reply.headers(BARE_HEADERS)
  if (!limiter.take(toAddressKey(request.ip))) return handleError(toRateError(reply, limiter), request, reply)
  const path = request.url.split('?', 1)[0] ?? '/'
  const methods = table.find(path)?.methods
  if (methods && !methods.includes(request.method))
    return handleError(toMethodError(reply, methods, request.method), request, reply)
  const isForPeople = request.method === 'GET' && request.headers.accept?.includes('text/html') === true
  if (isForPeople && !path.startsWith('/api/'))
    return reply
      .code(404)
      .header('cache-control', 'no-store')
      .type('text/plain; charset=utf-8')
      .send('There is no such page.\n')
  const message = `${request.method} ${clip(path)} is not part of this interface; see /docs`
  return handleError(new AppError('unknown-route', message, { status: 404 }), request, reply)
}

/** The address is there, for other methods. */
export function toMethodError(reply: FastifyReply, methods: readonly string[], method: string): AppError {
  const allowed = methods.join(', ')
  reply.header('allow', allowed)
  return new AppError('method-not-allowed', `This address takes ${allowed}, not ${method}`, { status: 405 })
}
