import { clip } from './errors.ts'
import type { Attributes, Kind, Metric, MetricValue, Rejection, Values } from './kind.ts'

export interface ValidatedValues {
  /** Metrics that are right, ready to be stored. */
  values: Record<string, MetricValue>
  /** Metrics that are wrong, each alone: the others are kept. */
  rejections: readonly Rejection[]
  /** Names that the kind does not know: ignored and counted. */
  unknown: readonly string[]
}

/** What nearly every payload has of these: one empty list for all of them. */
const NONE: readonly never[] = []

/**
 * Checks a payload's metrics against their kind. `null` means "no value" and is passed over.
 * @param raw the payload's object without its `time`
 * @param known the sensor's newest values and its attributes, for checks across metrics
 */
export function validateValues(
  kind: Kind,
  raw: Readonly<Record<string, unknown>>,
  known: { values: Values; attributes: Attributes },
): ValidatedValues {
  const values: Record<string, MetricValue> = {}
  let rejections: Rejection[] | undefined
  let unknown: string[] | undefined
  for (const name of Object.keys(raw)) {
    const value = raw[name]
    if (value === null || value === undefined) continue
    const metric = Object.hasOwn(kind.metrics, name) ? kind.metrics[name] : undefined
    if (!metric) {
      ;(unknown ??= []).push(name)
      continue
    }
    const rejection = checkMetric(name, metric, value)
    if (rejection) (rejections ??= []).push(rejection)
    else values[name] = value as MetricValue
  }
  const contradictions = kind.check?.(values, known) ?? NONE
  if (contradictions.length === 0) return { values, rejections: rejections ?? NONE, unknown: unknown ?? NONE }
  const refused = new Set(contradictions.map(({ metric }) => metric))
  const kept = Object.fromEntries(Object.entries(values).filter(([name]) => !refused.has(name)))
  return { values: kept, rejections: [...(rejections ?? NONE), ...contradictions], unknown: unknown ?? NONE }
}

function checkMetric(name: string, metric: Metric, value: unknown): Rejection | undefined {
  if (metric.type === 'state') {
    if (typeof value !== 'string') return wrongType(name, 'a text', value)
    if (metric.values.includes(value)) return undefined
    return {
      metric: name,
      reason: 'unknown-value',
      detail: `${name} '${clip(value)}' is none of ${metric.values.join(', ')}`,
    }
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) return wrongType(name, 'a number', value)
  if (metric.integer && !Number.isInteger(value)) return wrongType(name, 'a whole number', value)
  if (value >= metric.min && value <= metric.max) return undefined
  return {
    metric: name,
    reason: 'out-of-range',
    detail: `${name} ${value} is outside ${metric.min} to ${metric.max}`,
  }
}

function wrongType(metric: string, wanted: string, value: unknown): Rejection {
  return {
    metric,
    reason: 'wrong-type',
    detail: `${metric} must be ${wanted}, got ${clip(JSON.stringify(value))}`,
  }
}
