import { Readable } from 'node:stream'
import type { SensorFilter } from '../http/query.ts'

/** Pieces that go out one at a time, so that what a slow reader has not taken is known. */
const CHUNK_BYTES = 64 * 1024

export interface LiveClient {
  readonly filter: SensorFilter
  /** Equal for equal filters. */
  readonly filterKey: string
  /** What becomes the answer's body. */
  readonly stream: Readable
  /** The tick that the reader knows of. */
  sequence: number
  /** Since when it has had more unsent than the bound, and how much that was then. */
  slow: { sinceMs: number; bytes: number } | undefined
  readonly bufferedBytes: number
  send(bytes: Buffer): void
  end(): void
}

/** One reader of the feed. What it has not taken yet is shared with the other readers of the same filter. */
export function createLiveClient({
  filter,
  filterKey,
}: {
  filter: SensorFilter
  filterKey: string
}): LiveClient {
  const queue: Buffer[] = []
  let queuedBytes = 0
  let wantsMore = false

  const pump = (): void => {
    while (wantsMore) {
      const chunk = queue.shift()
      if (!chunk) return
      queuedBytes -= chunk.length
      wantsMore = stream.push(chunk)
    }
  }
  const stream = new Readable({
    highWaterMark: CHUNK_BYTES,
    read() {
      wantsMore = true
      pump()
    },
  })

  return {
    filter,
    filterKey,
    stream,
    sequence: 0,
    slow: undefined,
    get bufferedBytes() {
      return queuedBytes + stream.readableLength
    },
    send(bytes) {
      for (let start = 0; start < bytes.length; start += CHUNK_BYTES)
        queue.push(bytes.subarray(start, start + CHUNK_BYTES))
      queuedBytes += bytes.length
      pump()
    },
    end() {
      stream.push(null)
    },
  }
}
