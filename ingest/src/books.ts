import type { Sensor } from '@pulso/model'
import type { IngestState, QuarantineEntry, Registry } from '@pulso/stores'
import type { Batch } from './batch.ts'
import type { IngestLimits } from './limits.ts'
import type { Retry } from './retry.ts'
import type { RollupWatch } from './rollup/roller.ts'

export interface BooksOptions {
  registry: Registry
  retry: Retry
  limits: Pick<IngestLimits, 'settleAfterMs' | 'settleStates'>
  /** Milliseconds that only go forward. */
  monotonicMs: () => number
  /** Told of what is stored already; it says which hours that makes due. */
  rollups?: Pick<RollupWatch, 'unsettled' | 'settled'> | undefined
}

/**
 * What batches change in the registry, on its way there. While more is waiting in the journal, several batches are
 * settled together, so that a sensor that speaks in each of them is written once. Until then the journal forgets nothing
 * of them: after a crash they come again, and the readings' position says that only this is left to do.
 */
export interface Books {
  add(batch: Batch): void
  /** Whether it should not wait for more: something that others look for, long ago, or much. */
  isDue(): boolean
  /** @returns the journal's position up to which everything is kept now */
  settle(): Promise<number>
}

/** @param position of the registry */
export function createBooks(
  position: number,
  { registry, retry, limits, monotonicMs, rollups }: BooksOptions,
): Books {
  let settledPosition = position
  let newestPosition = position
  let states = new Map<string, IngestState>()
  let newSensors: Sensor[] = []
  let quarantine: QuarantineEntry[] = []
  let sinceMs = 0

  return {
    add(batch) {
      if (newestPosition === settledPosition) sinceMs = monotonicMs()
      newestPosition = batch.position
      for (const state of batch.states) states.set(state.sensorId, state)
      newSensors.push(...batch.newSensors)
      quarantine.push(...batch.quarantine)
    },
    isDue: () =>
      newSensors.length > 0 ||
      quarantine.length > 0 ||
      states.size >= limits.settleStates ||
      (newestPosition > settledPosition && monotonicMs() - sinceMs >= limits.settleAfterMs),
    async settle() {
      if (newestPosition === settledPosition) return settledPosition
      // In the order of their keys, neighbours in the store are written together.
      const sorted = [...states.values()].sort((a, b) => (a.sensorId < b.sensorId ? -1 : 1))
      const dueHours = rollups?.unsettled() ?? []
      const commit = { position: newestPosition, newSensors, states: sorted, quarantine, dueHours }
      await retry("keep the batches' states", async (attempt) => {
        if (attempt > 1 && (await registry.ingestPosition()) >= commit.position) return
        await registry.commitIngest(commit)
      })
      rollups?.settled(dueHours)
      settledPosition = commit.position
      states = new Map()
      newSensors = []
      quarantine = []
      return settledPosition
    },
  }
}
