import fastifyCors from '@fastify/cors'
import type { onRequestHookHandler } from 'fastify'
import type { App } from './app.ts'
import { BARE_HEADERS } from './headers.ts'
import { answerMissing, toMethodError } from './not-found.ts'
import type { RateLimiter } from './rate-limit.ts'
import type { RouteTable } from './route-table.ts'

const DAY_SECONDS = 86_400

/**
 * Answers to browsers that ask beforehand whether another site's script may send its request: yes for open data, read
 * only and in nobody's name. All other addresses answer as they would without CORS, so a browser refuses.
 */
export function addPreflights(
  app: App,
  { table, limiter }: { table: RouteTable; limiter: RateLimiter },
): void {
  const answerOthers: onRequestHookHandler = (request, reply, done) => {
    reply.headers(BARE_HEADERS)
    const found = table.find(request.url.split('?', 1)[0] ?? '/')
    if (!found) {
      answerMissing(request, reply, { table, limiter })
    } else if (!found.isPublic) {
      done(toMethodError(reply, found.methods, request.method))
    } else if (!request.headers.origin || !request.headers['access-control-request-method']) {
      // Somebody asks what there is, and no browser on behalf of a page.
      reply.header('allow', [...found.methods, 'OPTIONS'].join(', '))
      void reply.code(204).send(null)
    } else done()
  }
  void app.register(async (scope: App) => {
    scope.addHook('onRequest', answerOthers)
    void scope.register(fastifyCors, {
      origin: '*',
      credentials: false,
      methods: ['GET', 'HEAD'],
      allowedHeaders: ['Accept', 'Cache-Control', 'If-None-Match', 'Last-Event-ID'],
      maxAge: DAY_SECONDS,
      cacheControl: DAY_SECONDS,
    })
  })
}
