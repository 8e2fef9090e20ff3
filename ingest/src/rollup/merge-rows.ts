import { rollupFields, type Kind, type MetricValue, type RollupField } from '@pulso/model'
import type { AggregatedBucket, AggregateRow } from '@pulso/stores'

type Row = Omit<AggregateRow, 'fromMs'>

/** One row out of those of the parts that a bucket consists of, oldest first; `null` without any. */
export function mergeRows(kind: Kind, metric: string, parts: readonly AggregatedBucket[]): Row | null {
  const rows = parts.flatMap(({ row }) => row ?? [])
  if (rows.length === 0) return null
  const fields = rollupFields(kind).filter((field) => field.metric === metric)
  const merged: Record<string, MetricValue> = {}
  for (const field of fields) {
    const value = mergeField(field, rows)
    if (value !== undefined) merged[field.name] = value
  }
  return { parts: merged, elapsedMs: rows.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0) }
}

function mergeField({ name, part }: RollupField, rows: readonly Row[]): MetricValue | undefined {
  const values = rows.flatMap(({ parts }) => parts[name] ?? [])
  if (values.length === 0) return undefined
  // What comes later in time is newer.
  if (part === 'last' || part === 'last_at') return values.at(-1)
  const numbers = values.map(Number)
  if (part === 'min') return Math.min(...numbers)
  if (part === 'max') return Math.max(...numbers)
  return numbers.reduce((sum, value) => sum + value, 0)
}
