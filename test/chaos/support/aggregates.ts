import type { AggregatesView } from '@pulso/model'
import { waitFor } from '../../support/wait.ts'
import type { BoxProcess } from './box-process.ts'
import { CHAOS_KINDS } from './kinds.ts'
import type { Value } from './message.ts'
import type { StoredReading } from './stored.ts'

/** What the box answered about one metric of the whole city, bucket by bucket. */
export type ShownAggregates = AggregatesView

/** In these all times of messages lie, and some buckets are long over and stored. */
const BACK_MS = 6 * 3_600_000
const ANSWER_WITHIN_MS = 30_000
const STEPS = ['5m', '1h'] as const
const FUNCTIONS = ['count', 'min', 'max', 'mean', 'last'] as const
type Function = (typeof FUNCTIONS)[number]

/** Sums are added up in another order there. */
const RELATIVE_ERROR = 1e-9

/** Asks the running box for all aggregates of the metrics that chaos publishes and that are open data. */
export async function readAggregates(box: BoxProcess): Promise<ShownAggregates[]> {
  const [from, to] = [Date.now() - BACK_MS, Date.now()].map((ms) => new Date(ms).toISOString())
  const questions = CHAOS_KINDS.filter(({ isOpen }) => isOpen).flatMap(({ id, serialMetric, extraMetric }) =>
    [serialMetric, extraMetric].flatMap((metric) =>
      STEPS.flatMap((step) =>
        FUNCTIONS.map((fn) => `/api/v1/aggregates/${id}?metric=${metric}&step=${step}&fn=${fn}`),
      ),
    ),
  )
  const views: ShownAggregates[] = []
  for (const question of questions) {
    const address = new URL(`${question}&from=${from ?? ''}&to=${to ?? ''}`, box.http)
    views.push(
      await waitFor(
        async () => {
          const response = await fetch(address)
          const text = await response.text()
          if (response.ok) return JSON.parse(text) as AggregatesView
          // After a start much may have to be worked out first, and it says so.
          if (response.status === 503) return undefined
          throw new Error(`${address.href} answers ${response.status}: ${text}`)
        },
        { what: `an answer to ${question}`, timeoutMs: ANSWER_WITHIN_MS },
      ),
    )
  }
  return views
}

/** Aggregates worked out here, from the rows as they are stored, to compare those of the box with. */
export interface Recomputation {
  add(reading: StoredReading): void
  /** @returns what is different, in words */
  differences(shown: readonly ShownAggregates[]): string[]
}

interface Sample {
  timeMs: number
  sensorId: string
  value: number
}

export function createRecomputation(): Recomputation {
  const samples = new Map<string, Sample[]>()
  return {
    add({ sensorId, timeMs, values }) {
      for (const [metric, value] of Object.entries(values)) {
        if (typeof value !== 'number') continue
        const known = samples.get(metric)
        if (known) known.push({ timeMs, sensorId, value })
        else samples.set(metric, [{ timeMs, sensorId, value }])
      }
    },
    differences(shown) {
      const found: string[] = []
      for (const { kind, metric, step, fn, buckets } of shown) {
        for (const bucket of buckets) {
          if (!('value' in bucket)) continue
          const [fromMs, toMs] = [Date.parse(bucket.from), Date.parse(bucket.to)]
          const inside = (samples.get(metric) ?? []).filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs)
          const wanted = compute(inside, fn as Function)
          if (isClose(bucket.value, wanted)) continue
          const what = `${fn} of ${kind} ${metric} in the ${step} from ${bucket.from}`
          found.push(`${what} is ${String(bucket.value)}, the readings come to ${String(wanted)}`)
        }
      }
      return found
    },
  }
}

function compute(samples: readonly Sample[], fn: Function): number | null {
  if (fn === 'count') return samples.length
  const [first, ...others] = samples
  if (!first) return null
  const values = samples.map(({ value }) => value)
  switch (fn) {
    case 'min':
      return values.reduce((least, value) => Math.min(least, value))
    case 'max':
      return values.reduce((most, value) => Math.max(most, value))
    case 'mean':
      return values.reduce((sum, value) => sum + value) / values.length
    case 'last':
      return others.reduce((newest, sample) => (isNewer(sample, newest) ? sample : newest), first).value
  }
}

/** Of equal times the greatest sensor id. */
function isNewer(a: Sample, b: Sample): boolean {
  return a.timeMs > b.timeMs || (a.timeMs === b.timeMs && a.sensorId > b.sensorId)
}

function isClose(shown: Value | null, wanted: number | null): boolean {
  // Nothing counted may be told as nothing known.
  if (wanted === null || wanted === 0) return shown === wanted || shown === null
  return typeof shown === 'number' && Math.abs(shown - wanted) <= Math.abs(wanted) * RELATIVE_ERROR
}
