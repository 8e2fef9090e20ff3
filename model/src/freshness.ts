import { UNKNOWN_STATE, type Attributes, type Kind, type MetricValue } from './kind.ts'
import type { SensorState } from './sensor.ts'

/** How much a value may be trusted to be the present one. */
export const FRESHNESS = ['fresh', 'stale', 'offline'] as const
export type Freshness = (typeof FRESHNESS)[number]

/** The sensor that is asked about: its kind's rules, and its own attributes before them. */
export interface SensorRules {
  kind: Kind
  attributes: Attributes
}

/** How often this sensor should report: its own `intervalMs`, else its kind's. */
export function reportingIntervalMs({ kind, attributes }: SensorRules): number {
  const own = attributes.intervalMs
  return typeof own === 'number' && own > 0 ? own : kind.intervalMs
}

/** How fresh a value measured at `timeMs` is; a sensor never heard of (`undefined`) is offline. */
export function toFreshness(rules: SensorRules, timeMs: number | undefined, nowMs: number): Freshness {
  if (timeMs === undefined) return 'offline'
  const ageIntervals = (nowMs - timeMs) / reportingIntervalMs(rules)
  if (ageIntervals <= rules.kind.staleAfterIntervals) return 'fresh'
  return ageIntervals <= rules.kind.offlineAfterIntervals ? 'stale' : 'offline'
}

/** When a value measured at `timeMs` next changes its freshness, in ms since 1970; `Infinity` when never again. */
export function nextFreshnessChangeMs(rules: SensorRules, timeMs: number, nowMs: number): number {
  const intervalMs = reportingIntervalMs(rules)
  const staleAtMs = timeMs + intervalMs * rules.kind.staleAfterIntervals
  const offlineAtMs = timeMs + intervalMs * rules.kind.offlineAfterIntervals
  if (nowMs <= staleAtMs) return staleAtMs
  return nowMs <= offlineAtMs ? offlineAtMs : Infinity
}

/** How the sensor stands now. A state holds until its value is offline, then it is unknown, never free. */
export function toCurrentState(rules: SensorRules, state: SensorState | undefined, nowMs: number): string {
  if (!state || toFreshness(rules, state.timeMs, nowMs) === 'offline') return UNKNOWN_STATE
  const values: Record<string, MetricValue> = {}
  for (const [metric, { value, timeMs }] of Object.entries(state.values)) {
    if (toFreshness(rules, timeMs, nowMs) !== 'offline') values[metric] = value
  }
  return rules.kind.toState({ values, hourly: state.hourly, attributes: rules.attributes })
}
