import {
  HOUR_MS,
  SECOND_MS,
  toIsoTime,
  type AggregateFunction,
  type Metric,
  type MetricValue,
  type ShareBucket,
  type ValueBucket,
} from '@pulso/model'
import type { AggregatedBucket } from '@pulso/stores'

export interface Wanted {
  metric: string
  definition: Metric | undefined
  fn: AggregateFunction
}

export function toBucket(bucket: AggregatedBucket, wanted: Wanted): ValueBucket | ShareBucket {
  const times = { from: toIsoTime(bucket.fromMs), to: toIsoTime(bucket.toMs) }
  if (wanted.fn === 'share') return { ...times, ...toShares(bucket, wanted) }
  return { ...times, value: toValue(bucket, wanted) }
}

function toValue({ row }: AggregatedBucket, { metric, fn }: Wanted): MetricValue | null {
  const part = (name: string): MetricValue | null => row?.parts[`${metric}_${name}`] ?? null
  const count = Number(part('count') ?? 0)
  if (fn === 'count') return count
  if (fn === 'mean') return count > 0 ? Number(part('sum')) / count : null
  return part(fn)
}

function toShares(
  { row }: AggregatedBucket,
  { metric, definition }: Wanted,
): Pick<ShareBucket, 'shares' | 'hours' | 'unknown'> {
  if (!row || row.elapsedMs <= 0 || definition?.type !== 'state')
    return { shares: null, hours: null, unknown: null }
  const held = definition.values.map((state): [string, number] => [
    state,
    Number(row.parts[`${metric}_${state}_ms`] ?? 0),
  ])
  const knownMs = held.reduce((sum, [, ms]) => sum + ms, 0)
  return {
    shares: Object.fromEntries(held.map(([state, ms]) => [state, ms / row.elapsedMs])),
    hours: Object.fromEntries(held.map(([state, ms]) => [state, ms / HOUR_MS])),
    unknown: Math.max(0, 1 - knownMs / row.elapsedMs),
  }
}

/** Closed buckets change with late readings alone; a running one with every reading. */
export function toCacheControl(buckets: readonly AggregatedBucket[], nowMs: number): string {
  const isClosed = buckets.every(({ toMs }) => toMs + SETTLED_MS <= nowMs)
  return `public, max-age=${isClosed ? 120 : 5}`
}

/** By then nearly all readings of a bucket are there. */
const SETTLED_MS = 60 * SECOND_MS
