import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * An answer that did not change is not sent again. The ETag is made from the body, so it is right whatever the body came
 * from; bodies that are streamed have none.
 */
export async function addEtag(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  if (reply.statusCode !== 200 || !isBody(payload)) return payload
  const etag = toEtag(payload)
  reply.header('etag', etag)
  if (!isKnown(request.headers['if-none-match'], etag)) return payload
  reply.code(304)
  reply.removeHeader('content-type')
  return null
}

/** Weak, because the compressed and the plain answer share it. */
export function toEtag(body: string | Buffer): string {
  return `W/"${hash('sha1', body, 'base64url')}"`
}

/** Whether `If-None-Match` names the body: by its ETag, compared weakly, or by `*`. */
export function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((known) => {
    const text = known.trim()
    return text === etag || text === '*' || `W/${text}` === etag
  })
}

function isBody(payload: unknown): payload is string | Buffer {
  return typeof payload === 'string' || Buffer.isBuffer(payload)
}
