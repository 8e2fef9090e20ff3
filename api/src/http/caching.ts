import { createHash } from 'node:crypto'
import type { App } from './app.ts'

/** May be kept, but is asked after each time; the ETag makes that cheap. True for everything that moves with the city. */
const REVALIDATE = 'public, no-cache'

/** Open data: any site may read it, and an answer that did not change is not sent again. */
export function addCaching(app: App): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { isPublic, cacheControl } = request.routeOptions.config
    if (isPublic) {
      reply.header('access-control-allow-origin', '*')
      reply.header('cache-control', cacheControl ?? REVALIDATE)
    } else if (cacheControl) reply.header('cache-control', cacheControl)
    done()
  })
  app.addHook('onSend', async (request, reply, payload) => {
    if (!request.routeOptions.config.isPublic || reply.statusCode !== 200 || !isBody(payload)) return payload
    // Weak, because the compressed and the plain answer share it.
    const etag = `W/"${createHash('sha1').update(payload).digest('base64url')}"`
    reply.header('etag', etag)
    if (!isKnown(request.headers['if-none-match'], etag)) return payload
    reply.code(304)
    return ''
  })
}

function isBody(payload: unknown): payload is string | Buffer {
  return typeof payload === 'string' || Buffer.isBuffer(payload)
}

function isKnown(header: string | undefined, etag: string): boolean {
  return header?.split(',').some((known) => known.trim() === etag || known.trim() === '*') ?? false
}
