import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { AppError } from '@pulso/model'

/** How much of the answer the reader must have taken anew, or it counts as standing still. */
const LOOK_PARTS = 4

/**
 * Ends a download that lasts too long, or whose reader has stopped reading: each holds a moment of the readings, and the
 * place of somebody else.
 * @returns ends the watch
 */
export function watchDownload(
  stream: Readable,
  { response, maxMs, stallMs }: { response: ServerResponse; maxMs: number; stallMs: number },
): () => void {
  const end = (code: string, message: string): void => {
    stop()
    stream.destroy(new AppError(code, message, { status: 503 }))
    response.destroy()
  }
  const deadline = setTimeout(() => end('export-too-long', 'The download took too long'), maxMs)
  let [lastBytes, stillMs] = [-1, 0]
  const lookMs = stallMs / LOOK_PARTS
  const looking = setInterval(() => {
    const bytes = response.socket?.bytesWritten ?? 0
    // What waits for the reader; without it, it is our own turn.
    const isWaiting = response.writableLength > 0
    stillMs = isWaiting && bytes === lastBytes ? stillMs + lookMs : 0
    lastBytes = bytes
    if (stillMs >= stallMs) end('export-stalled', 'The reader of a download has stopped reading')
  }, lookMs)
  const stop = (): void => {
    clearTimeout(deadline)
    clearInterval(looking)
  }
  return stop
}
