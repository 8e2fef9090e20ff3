import type { City, Values } from '@pulso/model'
import type { Districts } from '../districts.ts'
import type { LocalTime } from '../local-time.ts'
import type { PlannedSensor } from '../plan/planned-sensor.ts'
import { hashUnit } from '../random.ts'
import type { Weather } from './weather.ts'

/**
 * How one sensor behaves: what it would say at any moment, and when it says something. Both depend on nothing but seed,
 * sensor and time, so a city that is stopped and started again goes on as if it had never stood still.
 */
export interface Behaviour {
  /** The times in (fromMs, toMs] at which it reports, rising: each change of state, and its signs of life. */
  reportTimes(fromMs: number, toMs: number): number[]
  valuesAt(timeMs: number): Values
}

/** What all behaviours of a city share. */
export interface Surroundings {
  city: City
  seed: number
  localTime: LocalTime
  districts: Districts
  isSouthern: boolean
  weatherAt: (timeMs: number) => Weather
  /** Dusk, dawn and dimming, and the hours burnt; the same for all lamps. */
  lightingNights: LightingNights
}

/** One night of the street lighting. */
export interface LightingNight {
  onMs: number
  /** Late at night the lamps are dimmed; the two are equal when the night is too short for that. */
  dimFromMs: number
  dimToMs: number
  offMs: number
}

export interface LightingNights {
  /** The night that begins on the solar day of `timeMs`, or on the one before while that one is not yet over. */
  nightAt(timeMs: number): { night: LightingNight; index: number }
  night(index: number): LightingNight
  /** Hours of full and dimmed light of all nights before `index`, since 2020. */
  hoursBefore(index: number): { nights: number; full: number; dimmed: number }
}

/** The signs of life: every interval, at a phase of the sensor's own, so that the city's reports are spread evenly. */
export function heartbeats(
  { id }: PlannedSensor,
  seed: number,
  intervalMs: number,
): (fromMs: number, toMs: number) => number[] {
  const phaseMs = Math.floor(hashUnit(seed, 'phase', id) * intervalMs)
  return (fromMs, toMs) => {
    const times: number[] = []
    const first = Math.floor((fromMs - phaseMs) / intervalMs) + 1
    for (let timeMs = first * intervalMs + phaseMs; timeMs <= toMs; timeMs += intervalMs) times.push(timeMs)
    return times
  }
}

/** Two rising lists as one, equal times once. */
export function mergeTimes(a: readonly number[], b: readonly number[]): number[] {
  return [...new Set([...a, ...b])].sort((left, right) => left - right)
}

export function round(value: number, digits: number): number {
  const factor = 10 ** digits
  return Math.round(value * factor) / factor
}
