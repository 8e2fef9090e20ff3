import { isUtf8 } from 'node:buffer'

const BYTE_ORDER_MARK = '\uFEFF'

/** A payload as text without its byte order mark; `undefined` when it is not UTF-8. */
export function parseText(payload: Uint8Array): string | undefined {
  if (!isUtf8(payload)) return undefined
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text
}
