/**
 * Bytes as they go over the wire. Each is one chunk of the chunked transfer coding (RFC 9112, 7.1) from the start, so
 * that readers share the frame, too. Its size is written in as many digits whatever it is: it is known last.
 */
const SIZE_DIGITS = 8
const LINE_END = '\r\n'

export const FRAME_HEAD_BYTES = SIZE_DIGITS + LINE_END.length
export const FRAME_TAIL_BYTES = LINE_END.length
export const FRAME_BYTES = FRAME_HEAD_BYTES + FRAME_TAIL_BYTES

/** What ends a chunked answer. */
export const LAST_CHUNK = Buffer.from(`0${LINE_END}${LINE_END}`)

/** Writes the frame around what stands in between. */
export function frame(bytes: Buffer): Buffer {
  const size = bytes.length - FRAME_BYTES
  bytes.write(size.toString(16).padStart(SIZE_DIGITS, '0') + LINE_END, 0, 'latin1')
  bytes.write(LINE_END, bytes.length - FRAME_TAIL_BYTES, 'latin1')
  return bytes
}

export function toChunk(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(text) + FRAME_BYTES)
  bytes.write(text, FRAME_HEAD_BYTES)
  return frame(bytes)
}

/** What the chunk carries, for readers whose HTTP (1.0) knows no chunks. */
export function toPlain(chunk: Buffer): Buffer {
  return chunk.subarray(FRAME_HEAD_BYTES, chunk.length - FRAME_TAIL_BYTES)
}
