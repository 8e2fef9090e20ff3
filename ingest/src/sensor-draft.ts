import {
  reportingIntervalMs,
  type HourlyMean,
  type Kind,
  type MetricValue,
  type Sensor,
  type TimedValue,
  type Values,
} from '@pulso/model'
import type { IngestState } from '@pulso/stores'
import type { Identity } from './identities.ts'
import { addSample, lastHour, toHourlyMean, type Sample } from './window.ts'

/** A sensor's state while a batch works on it; what it started from stays untouched. */
export interface SensorDraft {
  readonly sensor: Sensor
  readonly kind: Kind
  /** As after the last batch; `undefined` for a sensor that has said nothing yet. */
  readonly base: IngestState | undefined
  timeMs: number
  receivedAtMs: number
  presence: 'online' | 'offline' | null
  values: Record<string, TimedValue>
  /** The same without the times, as a kind's checks want them. */
  known: Record<string, MetricValue>
  newest: Record<string, MetricValue>
  window: Record<string, Sample[]>
  /** The batch has changed it. */
  isTouched: boolean
  readonly times: BatchTimes
}

/** The times of a sensor that a batch brings, each with its identity. */
export interface BatchTimes {
  /** Of the newest; most readings are newer still, and need no look-up. */
  newestMs: number
  byTime: Map<number, Identity>
}

/** A time before every reading, for a sensor of which only its presence is known. */
export const NO_READING_MS = 0

export function createSensorDraft(sensor: Sensor, kind: Kind, base: IngestState | undefined): SensorDraft {
  const known: Record<string, MetricValue> = {}
  const window: Record<string, Sample[]> = {}
  for (const [name, { value }] of Object.entries(base?.values ?? {})) known[name] = value
  for (const [name, samples] of Object.entries(base?.window ?? {})) window[name] = [...samples]
  return {
    sensor,
    kind,
    base,
    timeMs: base?.timeMs ?? NO_READING_MS,
    receivedAtMs: base?.receivedAtMs ?? NO_READING_MS,
    presence: base?.presence ?? null,
    values: { ...base?.values },
    known,
    newest: { ...base?.newest },
    window,
    isTouched: false,
    times: { newestMs: -Infinity, byTime: new Map() },
  }
}

/**
 * Takes validated values in. A late reading goes to its place in the hour and never over a newer value; at the same
 * time the one that came last stands. Taking the same reading in twice changes nothing.
 */
export function applyReading(
  draft: SensorDraft,
  { timeMs, receivedAtMs, values }: { timeMs: number; receivedAtMs: number; values: Values },
): void {
  const { kind } = draft
  for (const name in values) {
    const value = values[name]
    if (value === undefined) continue
    if (timeMs >= (draft.values[name]?.timeMs ?? NO_READING_MS)) {
      draft.values[name] = { value, timeMs }
      draft.known[name] = value
    }
    if (typeof value === 'number' && kind.hourlyMetrics?.includes(name)) {
      addSample((draft.window[name] ??= []), [timeMs, value])
    }
  }
  if (timeMs > draft.timeMs) draft.newest = { ...values }
  else if (timeMs === draft.timeMs) Object.assign(draft.newest, values)
  if (timeMs < draft.timeMs) return
  draft.timeMs = timeMs
  draft.receivedAtMs = receivedAtMs
}

export function toState({ sensor, kind, ...draft }: SensorDraft): IngestState {
  const hourly: Record<string, HourlyMean> = {}
  const window: Record<string, readonly Sample[]> = {}
  const intervalMs = reportingIntervalMs({ kind, attributes: sensor.attributes })
  for (const [name, all] of Object.entries(draft.window)) {
    const samples = lastHour(all, draft.timeMs)
    if (samples.length === 0) continue
    window[name] = samples
    hourly[name] = toHourlyMean(samples, intervalMs)
  }
  return {
    sensorId: sensor.id,
    kind: kind.id,
    timeMs: draft.timeMs,
    receivedAtMs: draft.receivedAtMs,
    values: draft.values,
    hourly,
    presence: draft.presence,
    newest: draft.newest,
    window,
  }
}
