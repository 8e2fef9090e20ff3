import { DAY_MS, HOUR_MS, type Position } from '@pulso/model'
import { smoothNoise } from '../random.ts'
import { solarDayOf, solarElevationDegrees } from './sun.ts'

export interface Weather {
  temperatureC: number
  /** 0 to 1. */
  relativeHumidity: number
  windMS: number
  /** 0 in the dry to 1 in a downpour. */
  rain: number
  /** 0 to 1. */
  cloud: number
  solarElevationDegrees: number
}

/** Hours over which fronts, showers and gusts pass. */
const FRONT_HOURS = 40
const SHOWER_HOURS = 5
const GUST_HOURS = 1.5

/**
 * Weather as slow noise around the season and the hour: no forecast, but one that hangs together. Rain comes with clouds
 * and wind, clear nights are cold, and the whole city has the same.
 */
export function createWeather(position: Position, seed: number): (timeMs: number) => Weather {
  const noise = (name: string, timeMs: number, periodHours: number): number =>
    smoothNoise(seed, name, timeMs / (periodHours * HOUR_MS))
  return (timeMs) => {
    const front = noise('front', timeMs, FRONT_HOURS)
    const cloud = clamp(0.5 + 0.42 * front + 0.3 * noise('cloud', timeMs, SHOWER_HOURS), 0, 1)
    const shower = clamp(0.5 + 0.5 * noise('rain', timeMs, SHOWER_HOURS), 0, 1)
    const rain = clamp((cloud - 0.66) * 3, 0, 1) * clamp((shower - 0.4) * 2.2, 0, 1)
    const windMS = clamp(
      4 + 2.6 * front + 1.8 * noise('wind', timeMs, FRONT_HOURS / 3) + gust(noise, timeMs),
      0.4,
      25,
    )
    const elevation = solarElevationDegrees(position, timeMs)
    const temperatureC =
      seasonC(position, timeMs) +
      dayC(position, timeMs) * (1 - 0.6 * cloud) +
      3.2 * noise('air', timeMs, FRONT_HOURS * 1.6) -
      1.6 * rain
    return {
      temperatureC,
      relativeHumidity: clamp(0.72 - 0.012 * (temperatureC - 15) + 0.12 * front + 0.16 * rain, 0.25, 0.99),
      windMS,
      rain,
      cloud,
      solarElevationDegrees: elevation,
    }
  }
}

function gust(noise: (name: string, timeMs: number, periodHours: number) => number, timeMs: number): number {
  return 0.9 * noise('gust', timeMs, GUST_HOURS)
}

/** Mean of the day: warmer towards the equator, warmest a month after midsummer; amplitude of a coastal city. */
function seasonC({ lat }: Position, timeMs: number): number {
  const yearShare = (timeMs / DAY_MS - 208) / 365.2425
  const sign = lat < 0 ? -1 : 1
  return 28 - 0.31 * Math.abs(lat) + sign * 0.12 * Math.abs(lat) * Math.cos(2 * Math.PI * yearShare)
}

/** Warmest two hours after the sun's highest, coldest before dawn. */
function dayC(position: Position, timeMs: number): number {
  const solarShare = (timeMs + (position.lon / 360) * DAY_MS) / DAY_MS - solarDayOf(position, timeMs)
  return 4.6 * Math.cos(2 * Math.PI * (solarShare - 14 / 24))
}

export function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value))
}
