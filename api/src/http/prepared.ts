import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isKnown, toEtag } from './caching.ts'

/** A body that many ask for: worked out once, with its ETag and its compressed forms. */
export interface PreparedBody {
  readonly type: string
  readonly plain: Buffer
  readonly etag: string
  /** Made when first asked for; whoever asks meanwhile waits for the same. */
  readonly packed: Partial<Record<Packing, Promise<Buffer> | Buffer | undefined>>
}

type Packing = 'br' | 'gzip'

/** Below that a packed body would not be shorter by a packet. */
const PACK_FROM_BYTES = 1_024

/** One tick's bodies of one route; further ones are made and not kept. */
const MAX_TICK_BODIES = 32

/** As the library that packs all other answers has it: a quarter of a millisecond for 40 KB. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }

const toBrotli = promisify(brotliCompress)
const toGzip = promisify(gzip)

/** @param body in UTF-8 */
export function prepareBody(body: string | Buffer, type: string): PreparedBody {
  const plain = typeof body === 'string' ? Buffer.from(body) : body
  return { type, plain, etag: toEtag(plain), packed: {} }
}

/**
 * Bodies that hold for one tick of the current state: what changes goes out four times a second on every way, so a
 * thousand questions within a tick cost one body. A tick's bodies are forgotten with the next one.
 */
export function createTickBodies({ sequence, type }: { sequence: () => number; type: string }): {
  /** @param key what the body depends on beside the tick, of a bounded number of values */
  of(key: string, make: () => string): PreparedBody
} {
  let tick = NaN
  let bodies = new Map<string, PreparedBody>()
  return {
    of(key, make) {
      const now = sequence()
      if (now !== tick) {
        tick = now
        bodies = new Map()
      }
      const known = bodies.get(key)
      if (known) return known
      const body = prepareBody(make(), type)
      if (bodies.size < MAX_TICK_BODIES) bodies.set(key, body)
      return body
    },
  }
}

/** Answers with a prepared body, or with 304 when it is known there. Its route says `isPrepared` and `compress: false`. */
export function sendPrepared(
  request: FastifyRequest,
  reply: FastifyReply,
  body: PreparedBody,
): FastifyReply | Promise<FastifyReply> {
  const { 'if-none-match': known, 'accept-encoding': accepted } = request.headers
  reply.header('etag', body.etag)
  if (known !== undefined && isKnown(known, body.etag)) return reply.code(304).send(null)
  reply.type(body.type)
  const packing = accepted === undefined ? undefined : toPacking(accepted)
  if (packing === undefined || body.plain.length < PACK_FROM_BYTES) return reply.send(body.plain)
  reply.header('content-encoding', packing)
  const packed = body.packed[packing] ?? pack(body, packing)
  return packed instanceof Promise ? packed.then((bytes) => reply.send(bytes)) : reply.send(packed)
}

/** The better of the two that the client takes. */
function toPacking(accepted: string): Packing | undefined {
  if (takes(accepted, 'br')) return 'br'
  return takes(accepted, 'gzip') ? 'gzip' : undefined
}

function takes(accepted: string, name: string): boolean {
  return accepted.split(',').some((part) => {
    const [coding = '', ...parameters] = part.split(';').map((text) => text.trim())
    return coding.toLowerCase() === name && !parameters.some((text) => /^q=0(\.0*)?$/i.test(text))
  })
}

function pack(body: PreparedBody, packing: Packing): Promise<Buffer> {
  const packed = packing === 'gzip' ? toGzip(body.plain) : toBrotli(body.plain, BROTLI)
  body.packed[packing] = packed
  // Who waits for it hears of a failure; the next one tries again.
  packed.then(
    (bytes) => (body.packed[packing] = bytes),
    () => (body.packed[packing] = undefined),
  )
  return packed
}
