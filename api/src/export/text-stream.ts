import { Readable } from 'node:stream'
import type { ReadingsExport } from '@pulso/stores'
import type { Encoder } from './encoder.ts'

/** Asks for the next page only when the reader has taken the one before. */
const AHEAD_BYTES = 64 * 1024

/**
 * An export as a stream of text: a page in hand, never more. Whoever destroys it ends the export, and a failure destroys
 * it: a file that is cut short must not look whole.
 */
export function createTextStream({
  taking,
  encoder,
  onPage,
}: {
  taking: ReadingsExport
  encoder: Encoder
  onPage: (rows: number) => void
}): Readable {
  const next = async (stream: Readable): Promise<void> => {
    for (;;) {
      const page = await taking.next()
      if (!page) {
        stream.push(encoder.tail())
        stream.push(null)
        return
      }
      onPage(page.rows)
      const text = encoder.page(page)
      // Nothing would ask again for what is empty.
      if (text === '') continue
      stream.push(text)
      return
    }
  }
  return new Readable({
    highWaterMark: AHEAD_BYTES,
    construct(callback) {
      this.push(encoder.head())
      callback()
    },
    read() {
      next(this).catch((error: unknown) => this.destroy(error as Error))
    },
    destroy(error, callback) {
      taking.close().then(
        () => callback(error),
        (failure: unknown) => callback(error ?? (failure as Error)),
      )
    },
  })
}
