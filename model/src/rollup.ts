import type { Kind, Metric } from './kind.ts'

/** How fine a series of aggregates is; days and hours are the city's own, daylight saving included. */
export const RESOLUTIONS = ['5m', '1h', '1d'] as const
export type Resolution = (typeof RESOLUTIONS)[number]

/** A period of time, its end excluded. */
export interface Bucket {
  fromMs: number
  toMs: number
}

/**
 * What is known of a metric in a bucket, and under which name it is stored: `{metric}_{part}`. Parts that count or last
 * add up over sensors and buckets; a mean is `sum` ÷ `count`.
 */
export interface RollupField {
  name: string
  metric: string
  /**
   * - `count`, `sum`, `min`, `max`: of the readings in the bucket (numbers; `count` also of states)
   * - `last`, `last_at`: the newest reading in the bucket and its time in ms since 1970; of equal times the greatest sensor id
   * - `increase`: of a counter, for each reading in the bucket what it rose since the one before, which may be in the bucket
   *   or still hold when it begins; a counter that falls began anew at 0. Without a reading before there is nothing to add
   * - `ms`: how long the state was held in the bucket, in ms: from its reading until the next one of the metric, or until a
   *   value no longer holds, and not beyond now
   *
   * What would be 0 readings or 0 ms is left out. A day is the sum of its hours.
   */
  part: 'count' | 'sum' | 'min' | 'max' | 'last' | 'last_at' | 'increase' | 'ms'
  type: 'number' | 'text'
  /** Of the part `ms`. */
  state?: string
}

/** Which sums of sensors there are. */
export const SCOPES = ['sensor', 'zone', 'city'] as const
export type Scope = (typeof SCOPES)[number]

/** The fields that are kept of a kind, in a stable order. */
export function rollupFields({ metrics }: Kind): RollupField[] {
  return Object.entries(metrics).flatMap(([name, metric]) => fieldsOf(name, metric))
}

function fieldsOf(metric: string, { type, rollup, ...rest }: Metric): RollupField[] {
  const field = (part: RollupField['part'], isText = false): RollupField => ({
    name: `${metric}_${part}`,
    metric,
    part,
    type: isText ? 'text' : 'number',
  })
  if (type === 'state') {
    const values = 'values' in rest ? rest.values : []
    const held = values.map((state) => ({ ...field('ms'), name: `${metric}_${state}_ms`, state }))
    return [field('count'), field('last', true), field('last_at'), ...held]
  }
  const parts = [field('count'), field('sum'), field('min'), field('max'), field('last'), field('last_at')]
  return rollup === 'counter' ? [...parts, field('increase')] : parts
}
