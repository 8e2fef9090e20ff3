import type { Readings, Registry } from '@pulso/stores'
import type { Batch } from './batch.ts'
import type { ReadingsTally } from './identities.ts'
import type { Retry } from './retry.ts'

export interface CommitOptions {
  readings: Readings
  registry: Registry
  retry: Retry
}

const NOTHING: ReadingsTally = { stored: 0, duplicate: 0, corrected: 0 }

/**
 * Commits a batch: first the readings, then the registry, and only then may the journal forget. The process may end
 * between any two of them:
 * - before the readings' commit: nothing has happened, the batch comes again;
 * - between readings and registry: the batch comes again. The readings' own position says that they are there (DuckDB),
 *   or writing them again changes nothing (InfluxDB); `isRepeated` batches therefore touch the registry alone;
 * - between registry and journal: the registry's position is where reading starts, the journal is told again.
 * A commit that failed to answer may have happened all the same, so every further attempt first looks at the position.
 */
export async function commitBatch(
  batch: Batch,
  { isRepeated }: { isRepeated: boolean },
  { readings, registry, retry }: CommitOptions,
): Promise<ReadingsTally> {
  const { identities, position } = batch
  let tally = NOTHING
  if (!isRepeated) {
    const stored = await retry('look up late readings', async () => {
      const asked = Array.from(identities.lateKeys(), ([kind, keys]) => readings.find(kind, keys))
      return (await Promise.all(asked)).flat()
    })
    tally = identities.settle(stored)
    const toWrite = identities.toBatch(position)
    if (toWrite) {
      await retry('keep readings', async (attempt) => {
        if (attempt > 1 && (await readings.position()) >= position) return
        await readings.write(toWrite)
      })
    }
  }
  const { newSensors, states, quarantine } = batch
  await retry("keep the batch's states", async (attempt) => {
    if (attempt > 1 && (await registry.ingestPosition()) >= position) return
    await registry.commitIngest({ position, newSensors, states, quarantine })
  })
  return tally
}
