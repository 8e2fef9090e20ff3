import fastifyCompress from '@fastify/compress'
import Fastify, { LogController, type FastifyBaseLogger } from 'fastify'
import type { Socket } from 'node:net'
import type { ApiLimits } from '../limits.ts'
import type { ApiMetrics } from '../metrics.ts'
import type { ApiOptions } from '../options.ts'
import type { App, SchemaTypes } from './app.ts'
import { addPreflights } from './cors.ts'
import { shareWithEveryRoute } from './every-route.ts'
import { BARE_HEADERS } from './headers.ts'
import { answerMissing } from './not-found.ts'
import { handleError, PROBLEM_TYPE, toProblem } from './problem.ts'
import { createRateLimiter } from './rate-limit.ts'
import { createRouteTable } from './route-table.ts'

/** A body is 16 KB at most: whoever needs longer for it holds a connection for nothing. */
const REQUEST_TIMEOUT_MS = 30_000

/** Longer than any address that Node reads, so that a route says itself what is too long for it. */
const MAX_PARAM_LENGTH = 16 * 1024

/** The HTTP server with everything that every route shares, and no route. */
export function createServer({
  options,
  limits,
  metrics,
}: {
  options: ApiOptions
  limits: ApiLimits
  metrics: ApiMetrics
}): App {
  const logger: FastifyBaseLogger = options.logger
  const app: App = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    // Live feeds and keep-alive sockets would otherwise hold up the end.
    forceCloseConnections: true,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, ignoreTrailingSlash: false },
    // Who speaks for others is believed from these addresses only: everybody else is who they connect as.
    trustProxy: options.trustedProxies?.length ? [...options.trustedProxies] : false,
    // A logger of its own for each request costs as much as a small answer; who logs names the request.
    childLoggerFactory: (parent) => parent,
    // No hook runs for these, helmet's neither.
    frameworkErrors: (error, request, reply) => void handleError(error, request, reply.headers(BARE_HEADERS)),
    clientErrorHandler: answerBrokenRequest,
    // Answers are built by us and tested against their schemas; a query of the wrong type is refused, not guessed.
    ajv: { customOptions: { allErrors: false, coerceTypes: true, removeAdditional: false } },
  }).withTypeProvider<SchemaTypes>()

  // Generated serialisers cost a quarter of a second at each start; the large answers are kept as text anyway.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
  app.setErrorHandler(handleError)
  const shared = {
    table: createRouteTable(),
    limiter: createRateLimiter({ perSecond: limits.requestsPerSecond, clock: options.clock }),
  }
  shareWithEveryRoute(app, shared)
  void app.register(fastifyCompress, { encodings: ['br', 'gzip', 'identity'], threshold: 1024 })
  addPreflights(app, shared)
  observeDurations(app, metrics)
  app.setNotFoundHandler((request, reply) => answerMissing(request, reply, shared))
  return app
}

function observeDurations(app: App, metrics: ApiMetrics): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { url: route = 'unknown', config } = request.routeOptions
    if (config.isStream !== true) {
      const labels = { method: request.method, route, status: reply.statusCode }
      metrics.httpDurationSeconds.observe(labels, reply.elapsedTime / 1_000)
    }
    done()
  })
}

const NOT_HTTP = { status: 400, code: 'invalid-request', detail: 'This is not a valid HTTP request.' }

const BROKEN_REQUESTS: Record<string, typeof NOT_HTTP> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'request-too-large',
    detail: 'The address and headers are too long together; 16 KB is the limit.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'request-timeout',
    detail: 'The request did not arrive in time.',
  },
}

/** What Node could not read as HTTP at all: answered on the bare socket. */
function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = toProblem(BROKEN_REQUESTS[error.code ?? ''] ?? NOT_HTTP)
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    ...Object.entries(BARE_HEADERS).map(([name, value]) => `${name}: ${value}`),
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
