import type { OpsSensor } from '@pulso/model'

/** How a sensor stands with us, in the words an operator thinks in; the most worrying first. */
export const CONDITIONS = ['never', 'silent', 'late', 'reporting'] as const
export type ConditionId = (typeof CONDITIONS)[number]

export interface Condition {
  id: ConditionId
  /** Since its last measurement; null when there was none. */
  silentMs: number | null
  /** The connection is up though no readings come: a keep-alive is not a sign of life. */
  isConnectedButQuiet: boolean
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** A reading counts as delayed when it reached us this much after it was measured. */
const DELAY_WORTH_SAYING_MS = 60_000

/** Below this share a battery should be on somebody's list. Ours. */
export const BATTERY_LOW = 0.2
export const BATTERY_EMPTY = 0.1

type Heard = Pick<OpsSensor, 'time' | 'receivedAt' | 'freshness' | 'presence'>

/**
 * Tells a sensor that was never heard from one that fell silent and from one that reports. Freshness is the server's
 * word (it knows each kind's interval), the length of the silence is counted here.
 */
export function toCondition(sensor: Heard, nowMs: number): Condition {
  const silentMs = sensor.time === null ? null : Math.max(0, nowMs - Date.parse(sensor.time))
  const isConnectedButQuiet = sensor.presence === 'online' && sensor.freshness !== 'fresh'
  if (silentMs === null) return { id: 'never', silentMs, isConnectedButQuiet }
  const id = { fresh: 'reporting', stale: 'late', offline: 'silent' } as const
  return { id: id[sensor.freshness], silentMs, isConnectedButQuiet }
}

/** How long the newest reading was under way, in ms, or null when it came promptly (or never). */
export function toDelayMs({ time, receivedAt }: Pick<OpsSensor, 'time' | 'receivedAt'>): number | null {
  if (time === null || receivedAt === null) return null
  const delayMs = Date.parse(receivedAt) - Date.parse(time)
  return Math.abs(delayMs) >= DELAY_WORTH_SAYING_MS ? delayMs : null
}

/** A silence in whole days or hours, once it is that long: `3 h`. The exact age stands in its own column. */
export function toRoughMs(silentMs: number): number {
  const unitMs = [DAY_MS, HOUR_MS].find((unit) => silentMs >= unit)
  return unitMs === undefined ? silentMs : Math.floor(silentMs / unitMs) * unitMs
}

export type BatteryWarning = 'low' | 'empty' | null

export function toBatteryWarning(level: number | null): BatteryWarning {
  if (level === null || level > BATTERY_LOW) return null
  return level <= BATTERY_EMPTY ? 'empty' : 'low'
}
