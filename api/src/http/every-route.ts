import { toAddressKey } from '@pulso/model'
import type { onRequestHookHandler, preValidationHookHandler, RouteOptions } from 'fastify'
import type { TSchema } from 'typebox'
import type { App } from './app.ts'
import { addEtag } from './caching.ts'
import { PRIVATE_HEADERS, PUBLIC_HEADERS, REVALIDATE } from './headers.ts'
import { answerMissing } from './not-found.ts'
import { createParameterCheck } from './parameters.ts'
import { toRateError, type RateLimiter } from './rate-limit.ts'
import type { RouteTable } from './route-table.ts'
import { refuseCrossOrigin } from './same-origin.ts'

/** Where the web app's files are served. */
const STATIC_ROUTE = '/*'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** What every route shares: its headers, its client's rate, its parameters' names, its ETag. */
export function shareWithEveryRoute(
  app: App,
  { limiter, table }: { limiter: RateLimiter; table: RouteTable },
): void {
  app.addHook('onRoute', (route) => {
    table.add(route)
    prepareRoute(route)
  })
  const share: onRequestHookHandler = (request, reply, done) => {
    const { shared } = request.routeOptions.config
    // Nothing is there: told before a body is read.
    if (!shared) {
      if (request.is404) answerMissing(request, reply, { limiter, table })
      else done()
      return
    }
    reply.headers(shared.headers)
    if (shared.isCounted && !limiter.take(toAddressKey(request.ip))) {
      done(toRateError(reply, limiter))
      return
    }
    if (shared.changesSomething) refuseCrossOrigin(request)
    done()
  }
  app.addHook('onRequest', share)
}

function prepareRoute(route: RouteOptions): void {
  const { config = {}, schema } = route
  const isDescribed = schema?.tags !== undefined
  route.config = {
    ...config,
    shared: {
      // A page loads dozens of files at once; only what is not there counts.
      isCounted: config.rateLimit !== false && route.url !== STATIC_ROUTE,
      changesSomething: ![route.method].flat().every((method) => SAFE_METHODS.has(method)),
      headers: toHeaders(config, isDescribed),
    },
  }
  if (isDescribed && config.takesAnyParameter !== true)
    route.preValidation = [checkParameters(schema.querystring), ...toList(route.preValidation)]
  // Before compression: the ETag is that of the plain body.
  if (config.isPublic === true && config.isPrepared !== true)
    route.onSend = [addEtag, ...toList(route.onSend)]
}

function toHeaders(
  { isPublic, cacheControl }: NonNullable<RouteOptions['config']>,
  isDescribed: boolean,
): Record<string, string> {
  if (isPublic === true) return { ...PUBLIC_HEADERS, 'cache-control': cacheControl ?? REVALIDATE }
  // What is not open data is one operator's business, or a moment's.
  if (isDescribed) return { ...PRIVATE_HEADERS, 'cache-control': cacheControl ?? 'no-store' }
  // Pages have the policy of pages.
  return cacheControl === undefined ? {} : { 'cache-control': cacheControl }
}

function checkParameters(schema: unknown): preValidationHookHandler {
  const check = createParameterCheck(schema as TSchema | undefined)
  return (request, _reply, done) => {
    const { url = '' } = request.raw
    const at = url.indexOf('?')
    if (at >= 0) check(url.slice(at + 1), request.query as Record<string, unknown>)
    done()
  }
}

function toList<T>(hooks: T | T[] | undefined): T[] {
  if (hooks === undefined) return []
  return Array.isArray(hooks) ? hooks : [hooks]
}
