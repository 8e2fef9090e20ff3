import type { Kind } from '@pulso/model'

/** What devices made for other platforms call our metrics, and how they write them. */
const FOREIGN: ReadonlyMap<string, { metric: string; convert: (value: unknown) => unknown }> = new Map([
  ['humidity', { metric: 'relativeHumidity', convert: fromPercent }],
  ['battery', { metric: 'batteryLevel', convert: fromPercent }],
  ['pm2_5', { metric: 'pm25', convert: asItIs }],
  ['occupied', { metric: 'status', convert: fromOccupied }],
])

/**
 * Names as our kind has them. Our own names always win; of the others a handful is understood, the rest stays as it is
 * and is counted as unknown.
 */
export function toOwnNames(kind: Kind, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const metrics: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(values)) {
    const foreign = Object.hasOwn(kind.metrics, name) ? undefined : FOREIGN.get(name)
    const isOurs =
      foreign && Object.hasOwn(kind.metrics, foreign.metric) && !Object.hasOwn(values, foreign.metric)
    if (isOurs) metrics[foreign.metric] = foreign.convert(value)
    else Object.defineProperty(metrics, name, { value, enumerable: true, configurable: true, writable: true })
  }
  return metrics
}

function asItIs(value: unknown): unknown {
  return value
}

function fromPercent(value: unknown): unknown {
  return typeof value === 'number' ? value / 100 : value
}

function fromOccupied(value: unknown): unknown {
  if (value === true || value === 1) return 'occupied'
  return value === false || value === 0 ? 'free' : value
}
