import { join } from 'node:path'
import { tearDuckdbWal, tearSqliteWal } from '../support/torn-files.ts'
import type { Scenario } from './scenario.ts'

/** A power cut: what was synced is there, what was not may be cut off, empty or anything. */
export const halfWrittenScenario: Scenario = {
  name: 'half-written',
  title: 'the box killed, and the unsynced ends of its logs cut off or garbled as a power cut may leave them',
  skip: () => false,
  async run({ kills, longestLoadMs, createTrial }) {
    const trial = await createTrial()
    const { random, outcome, dataDir, say } = trial
    await trial.start()
    while (outcome.kills < kills) {
      await trial.load(random.between(50, longestLoadMs))
      await trial.kill()
      for (const name of ['journal.sqlite-wal', 'registry.sqlite-wal']) {
        if (random.chance(0.7)) say(tearSqliteWal(join(dataDir, name), random))
      }
      if (random.chance(0.7)) say(tearDuckdbWal(join(dataDir, 'readings.duckdb.wal'), random))
      await trial.start()
      await trial.check()
      if (outcome.kills < kills) await trial.start()
    }
  },
}
