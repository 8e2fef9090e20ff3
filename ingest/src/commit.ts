import type { Readings } from '@pulso/stores'
import type { Batch } from './batch.ts'
import type { ReadingsTally } from './identities.ts'
import type { Retry } from './retry.ts'

export interface StoreOptions {
  readings: Readings
  retry: Retry
}

/**
 * Keeps a batch's readings: the first of the three steps after which the journal may forget it. The second is the
 * registry (books.ts), the third the journal's own. The process may end between any two of them:
 * - before the readings' commit: nothing has happened, the batch comes again;
 * - between readings and registry: the batch comes again. The readings' own position says that they are there (DuckDB),
 *   or writing them again changes nothing (InfluxDB), so repeated batches touch the registry alone;
 * - between registry and journal: the registry's position is where reading starts, the journal is told again.
 * A commit that failed to answer may have happened all the same, so every further attempt first looks at the position.
 */
export async function storeReadings(
  { identities, position }: Batch,
  { readings, retry }: StoreOptions,
): Promise<ReadingsTally> {
  const stored = await retry('look up late readings', async () => {
    const asked = Array.from(identities.lateKeys(), ([kind, keys]) => readings.find(kind, keys))
    return (await Promise.all(asked)).flat()
  })
  const tally = identities.settle(stored)
  const toWrite = identities.toBatch(position)
  if (toWrite) {
    await retry('keep readings', async (attempt) => {
      if (attempt > 1 && (await readings.position()) >= position) return
      await readings.write(toWrite)
    })
  }
  return tally
}
