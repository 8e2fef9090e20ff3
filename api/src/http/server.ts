import { AppError } from '@pulso/model'
import fastifyCompress from '@fastify/compress'
import fastifyCookie from '@fastify/cookie'
import fastifyHelmet from '@fastify/helmet'
import fastifyRateLimit from '@fastify/rate-limit'
import Fastify, { LogController, type FastifyBaseLogger } from 'fastify'
import type { Socket } from 'node:net'
import type { ApiLimits } from '../limits.ts'
import type { ApiMetrics } from '../metrics.ts'
import type { ApiOptions } from '../options.ts'
import type { App, SchemaTypes } from './app.ts'
import { addCaching } from './caching.ts'
import { handleError, PROBLEM_TYPE, sendProblem, toProblem } from './problem.ts'
import { refuseCrossOrigin } from './same-origin.ts'

/** Nothing from elsewhere, no inline script or style; MapLibre's worker is a blob. */
const CONTENT_SECURITY_POLICY = {
  'default-src': ["'self'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'worker-src': ['blob:'],
  'img-src': ["'self'", 'data:', 'blob:'],
  'connect-src': ["'self'"],
  'object-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
}

/** For answers made before any route is known: nothing in them is to be run or guessed. */
const BARE_HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
}

/** Where the web app's files are served. */
const STATIC_ROUTE = '/*'

/** Addresses whose request rates are remembered at once. */
const MAX_RATED_ADDRESSES = 10_000

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
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: false },
    // No hook runs for these, helmet's neither.
    frameworkErrors: (error, request, reply) => void handleError(error, request, reply.headers(BARE_HEADERS)),
    clientErrorHandler: answerBrokenRequest,
    // Answers are built by us and tested against their schemas; a query of the wrong type is refused, not guessed.
    ajv: { customOptions: { allErrors: false, coerceTypes: true, removeAdditional: false } },
  }).withTypeProvider<SchemaTypes>()

  // Generated serialisers cost a quarter of a second at each start; the large answers are kept as text anyway.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
  app.setErrorHandler(handleError)
  void app.register(fastifyHelmet, {
    contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY_POLICY },
    // Plain http on localhost must work; whoever puts TLS in front adds it there.
    hsts: false,
    frameguard: { action: 'deny' },
  })
  void app.register(fastifyRateLimit, {
    max: limits.requestsPerSecond,
    timeWindow: 1_000,
    cache: MAX_RATED_ADDRESSES,
    // A page loads dozens of files at once; only what is not there counts.
    allowList: ({ routeOptions }) => routeOptions.url === STATIC_ROUTE,
    addHeaders: NO_RATE_HEADERS,
    addHeadersOnExceeding: NO_RATE_HEADERS,
    errorResponseBuilder: (_request, { max }) =>
      new AppError('rate-limited', `More than ${max} requests in a second; please slow down`, {
        status: 429,
      }),
  })
  void app.register(fastifyCookie)
  addCaching(app)
  void app.register(fastifyCompress, { encodings: ['br', 'gzip', 'identity'], threshold: 1024 })
  app.addHook('onRequest', async (request) => refuseCrossOrigin(request))
  observeDurations(app, metrics)
  void app.after(() => answerUnknownRoutes(app))
  return app
}

const NO_RATE_HEADERS = {
  'x-ratelimit-limit': false,
  'x-ratelimit-remaining': false,
  'x-ratelimit-reset': false,
}

function observeDurations(app: App, metrics: ApiMetrics): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown'
    if (request.routeOptions.config.isStream !== true) {
      const labels = { method: request.method, route, status: reply.statusCode }
      metrics.httpDurationSeconds.observe(labels, reply.elapsedTime / 1_000)
    }
    done()
  })
}

function answerUnknownRoutes(app: App): void {
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '/'
    const isForPeople = request.method === 'GET' && request.headers.accept?.includes('text/html')
    if (isForPeople && !path.startsWith('/api/'))
      return reply
        .code(404)
        .header('cache-control', 'no-store')
        .type('text/plain; charset=utf-8')
        .send('There is no such page.\n')
    const detail = `${request.method} ${path.slice(0, 100)} is not part of this interface; see /docs.`
    return sendProblem(reply, toProblem({ status: 404, code: 'unknown-route', detail }))
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
