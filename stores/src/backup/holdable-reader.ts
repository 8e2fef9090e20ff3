import type { JournalReader } from '../journal.ts'

export interface HoldableReader {
  reader: JournalReader
  /**
   * From now on acknowledgements wait, so that the journal forgets nothing, until what is returned is called. Whoever
   * reads goes on until it acknowledges.
   */
  hold(): () => void
}

/** A reader whose acknowledgements can be kept back while the stores are looked at together. */
export function createHoldableReader(inner: JournalReader): HoldableReader {
  let held: Promise<unknown> | undefined
  return {
    reader: {
      read: (options) => inner.read(options),
      acknowledge(position) {
        const now = (): Promise<void> => inner.acknowledge(position)
        return held ? held.then(now) : now()
      },
      status: () => inner.status(),
      check: () => inner.check(),
      close: () => inner.close(),
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<undefined>()
      const until = Promise.all([held, promise])
      held = until
      return () => {
        if (held === until) held = undefined
        resolve(undefined)
      }
    },
  }
}
