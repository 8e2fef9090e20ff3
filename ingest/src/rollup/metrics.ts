import { SECOND_MS } from '@pulso/model'
import type { Rollups } from '@pulso/stores'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface RollupMetrics {
  duration: Histogram<'resolution'>
  buckets: Counter<'resolution'>
  failures: Counter
  uncovered: Counter
  forgotten: Counter<'what'>
}

export interface RollupMetricsSources {
  lagMs(): number
  dueHours(): { changed: number; rebuild: number }
  sizes(): ReturnType<Rollups['sizes']>
}

/** @param sources asked when someone reads the metrics */
export function createRollupMetrics(registry: Registry, sources: () => RollupMetricsSources): RollupMetrics {
  const registers = [registry]
  new Gauge({
    name: 'pulso_rollup_lag_seconds',
    help: 'By how much the stored aggregates of 5 minutes are behind.',
    registers,
    collect() {
      this.set(sources().lagMs() / SECOND_MS)
    },
  })
  new Gauge({
    name: 'pulso_rollup_due_hours',
    help: 'Hours of a kind to be worked out anew, by why.',
    labelNames: ['reason'],
    registers,
    collect() {
      const { changed, rebuild } = sources().dueHours()
      this.set({ reason: 'changed' }, changed)
      this.set({ reason: 'rebuild' }, rebuild)
    },
  })
  createSizeGauges(registry, sources)
  return {
    duration: new Histogram({
      name: 'pulso_rollup_duration_seconds',
      help: 'How long a piece of rolling up took.',
      labelNames: ['resolution'],
      buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
      registers,
    }),
    buckets: new Counter({
      name: 'pulso_rollup_buckets_total',
      help: 'Buckets worked out and stored.',
      labelNames: ['resolution'],
      registers,
    }),
    failures: new Counter({
      name: 'pulso_rollup_failures_total',
      help: 'Attempts to roll up or delete that failed; they are tried again.',
      registers,
    }),
    uncovered: new Counter({
      name: 'pulso_rollup_uncovered_hours_total',
      help: 'Hours that stay as they are though a late reading came: their readings were deleted already.',
      registers,
    }),
    forgotten: new Counter({
      name: 'pulso_readings_forgotten_total',
      help: 'Readings and aggregates deleted for their age, where the store counts them.',
      labelNames: ['what'],
      registers,
    }),
  }
}

function createSizeGauges(registry: Registry, sources: () => RollupMetricsSources): void {
  // Both are read at the same time: one question serves them, and a store that is away leaves the last known values.
  let asked: ReturnType<Rollups['sizes']> | undefined
  const ask = async (): ReturnType<Rollups['sizes']> => {
    asked ??= sources()
      .sizes()
      .catch(() => ({ totalBytes: null, rows: null }))
      .finally(() => (asked = undefined))
    return asked
  }
  new Gauge({
    name: 'pulso_readings_bytes',
    help: 'What readings and aggregates take on disk, where the store can tell.',
    registers: [registry],
    async collect() {
      const { totalBytes } = await ask()
      if (totalBytes !== null) this.set(totalBytes)
    },
  })
  new Gauge({
    name: 'pulso_readings_rows',
    help: 'How many readings and aggregates are stored, where the store can tell.',
    labelNames: ['what'],
    registers: [registry],
    async collect() {
      const { rows } = await ask()
      for (const [what, count] of Object.entries(rows ?? {})) this.set({ what }, count)
    },
  })
}
