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
import type { BatchTimes } from './identity.ts'
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
  /** The same without the times, as a kind's checks want them; empty where it has none. */
  known: Record<string, MetricValue>
  newest: Readonly<Record<string, MetricValue>>
  window: Record<string, Sample[]>
  /** The batch has changed it. */
  isTouched: boolean
  readonly times: BatchTimes
}

/** A time before every reading, for a sensor of which only its presence is known. */
export const NO_READING_MS = 0

export function createSensorDraft(sensor: Sensor, kind: Kind, base: IngestState | undefined): SensorDraft {
  const known: Record<string, MetricValue> = {}
  const window: Record<string, Sample[]> = {}
  if (base) {
    if (kind.check) for (const name in base.values) known[name] = base.values[name]?.value ?? ''
    for (const name in base.window) window[name] = [...(base.window[name] ?? [])]
  }
  return {
    sensor,
    kind,
    base,
    timeMs: base?.timeMs ?? NO_READING_MS,
    receivedAtMs: base?.receivedAtMs ?? NO_READING_MS,
    presence: base?.presence ?? null,
    values: { ...base?.values },
    known,
    newest: base?.newest ?? {},
    window,
    isTouched: false,
    times: { newest: undefined, older: undefined },
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
      if (kind.check) draft.known[name] = value
    }
    if (typeof value === 'number' && kind.hourlyMetrics?.includes(name)) {
      addSample((draft.window[name] ??= []), [timeMs, value])
    }
  }
  if (timeMs > draft.timeMs) draft.newest = { ...values }
  // What it was before may be the base's.
  else if (timeMs === draft.timeMs) draft.newest = { ...draft.newest, ...values }
  if (timeMs < draft.timeMs) return
  draft.timeMs = timeMs
  draft.receivedAtMs = receivedAtMs
}

export function toState(draft: SensorDraft): IngestState {
  const { sensor, kind } = draft
  const hourly: Record<string, HourlyMean> = {}
  const window: Record<string, readonly Sample[]> = {}
  const intervalMs = reportingIntervalMs({ kind, attributes: sensor.attributes })
  for (const name in draft.window) {
    const samples = lastHour(draft.window[name] ?? [], draft.timeMs)
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
