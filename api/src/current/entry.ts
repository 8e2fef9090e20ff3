import {
  nextFreshnessChangeMs,
  toCurrentState,
  toFreshness,
  UNKNOWN_STATE,
  type Freshness,
  type Kind,
  type Position,
  type Sensor,
  type SensorRules,
  type SensorState,
} from '@pulso/model'

/** What is known of one sensor now. Only the current state changes it; everybody else reads. */
export interface Entry {
  sensor: Sensor
  readonly kind: Kind
  rules: SensorRules
  zone: string | null
  /** Absent until the sensor was heard of. */
  state: SensorState | undefined
  /** How it stands, one of its kind's states. */
  stands: string
  freshness: Freshness
  /** What it adds to each of its kind's figures, in their order; NaN where it knows nothing. */
  contributions: readonly number[]
  /** When time alone next changes something here; `Infinity` when never. */
  nextChangeMs: number
  /** The second in which the schedule looks at it; `undefined` while it is not planned. */
  plannedSecond: number | undefined
  /** The sequence number of the tick that its last change goes out with. */
  changedAt: number
  /** The tick of its last move and where it was before, so that views it left hear of it too. */
  movedAt: number
  previousPosition: Position | null
  /** The public feature as JSON, built when first asked for after a change. */
  json: string | undefined
}

export function createEntry(sensor: Sensor, kind: Kind, zone: string | null): Entry {
  return {
    sensor,
    kind,
    rules: { kind, attributes: sensor.attributes },
    zone,
    state: undefined,
    stands: UNKNOWN_STATE,
    freshness: 'offline',
    contributions: [],
    nextChangeMs: Infinity,
    plannedSecond: undefined,
    changedAt: 0,
    movedAt: 0,
    previousPosition: null,
    json: undefined,
  }
}

/** Derives everything that depends on the readings and on the time. */
export function refreshEntry(entry: Entry, nowMs: number): void {
  const { rules, state } = entry
  entry.json = undefined
  entry.stands = toCurrentState(rules, state, nowMs)
  entry.freshness = toFreshness(rules, state?.timeMs, nowMs)
  entry.nextChangeMs = state ? toNextChangeMs(rules, state, nowMs) : Infinity
}

/** Each value has its own time, so each may be the next to become stale or offline. */
function toNextChangeMs(rules: SensorRules, state: SensorState, nowMs: number): number {
  let nextMs = nextFreshnessChangeMs(rules, state.timeMs, nowMs)
  for (const metric in state.values) {
    const timeMs = state.values[metric]?.timeMs
    if (timeMs !== undefined && timeMs !== state.timeMs)
      nextMs = Math.min(nextMs, nextFreshnessChangeMs(rules, timeMs, nowMs))
  }
  return nextMs
}
