import {
  isWithin,
  toIsoTime,
  type Bounds,
  type ForecastAnswer,
  type NearestView,
  type Position,
} from '@pulso/model'
import type { Near } from './grid.ts'
import { tallyOf } from './place.ts'
import { SEARCH_RADIUS_M } from './places.ts'
import type { Trend } from './trend.ts'

/**
 * Ours. Walks along streets are longer than the great circle by a quarter in grids and by more where a city is old or
 * hilly; 1.25 m/s is what pedestrian crossings are commonly timed for, with a little less than the common 1.3 to 1.4.
 */
export const WALKING = { detourFactor: 1.3, metresPerSecond: 1.25 } as const

const DEGREE_M = 111_195

export interface AnsweredPlace {
  near: Near
  trend: Trend | null
  /** Absent when nobody asked for it. */
  forecast: ForecastAnswer | undefined
}

export interface NearestAnswer {
  nowMs: number
  from: Position
  atMs: number | null
  places: readonly AnsweredPlace[]
  note: NearestView['note']
}

/** The answer as JSON: what is the same for everybody is text already. */
export function toNearestJson({ nowMs, from, atMs, places, note }: NearestAnswer): string {
  const texts = places.map((place) => toPlaceJson(place, nowMs))
  return (
    `{"time":"${toIsoTime(nowMs)}","from":{"lat":${from.lat},"lon":${from.lon}},` +
    `"at":${atMs === null ? 'null' : `"${toIsoTime(atMs)}"`},"walking":${WALKING_JSON},` +
    `"places":[${texts.join(',')}],"note":${JSON.stringify(note)}}`
  )
}

const WALKING_JSON = JSON.stringify(WALKING)

function toPlaceJson({ near, trend, forecast }: AnsweredPlace, nowMs: number): string {
  const { place, position, distanceM } = near
  const { json, timeMs, free } = tallyOf(place)
  const ageS = timeMs > 0 ? Math.max(0, Math.round((nowMs - timeMs) / 1_000)) : null
  const walkS = Math.round((distanceM * WALKING.detourFactor) / WALKING.metresPerSecond)
  const measuredTo = place.sensorId !== null ? 'place' : (free ?? 0) > 0 ? 'nearest-free' : 'nearest'
  return (
    `{${json},"ageS":${ageS},"trend":${trend === null ? 'null' : `"${trend}"`},` +
    `"distanceM":${Math.round(distanceM)},"walkS":${walkS},` +
    `"position":{"lat":${position.lat},"lon":${position.lon}},"measuredTo":"${measuredTo}"${toForecastJson(forecast)}}`
  )
}

function toForecastJson(answer: ForecastAnswer | undefined): string {
  if (!answer) return ''
  if (!answer.forecast) return `,"forecast":null,"noForecast":"${answer.reason}"`
  const { atMs, ...forecast } = answer.forecast
  return `,"forecast":${JSON.stringify({ at: toIsoTime(atMs), ...forecast })}`
}

/** Why nothing is near, in words. */
export function toNote(
  from: Position,
  { bounds, hasPlaces, hasFullOnes }: { bounds: Bounds; hasPlaces: boolean; hasFullOnes: boolean },
): NonNullable<NearestView['note']> {
  const radius = `${SEARCH_RADIUS_M / 1_000} km`
  if (!hasPlaces) return { code: 'no-places', text: 'No place here is known that fits.' }
  if (hasFullOnes)
    return {
      code: 'nothing-free',
      text: `Within ${radius} nothing is known to be free; includeFull=true shows what there is.`,
    }
  const where = isNearCity(from, bounds) ? 'of this point' : 'of this point, which lies outside the city'
  return { code: 'far-away', text: `There is no place within ${radius} ${where}.` }
}

function isNearCity({ lat, lon }: Position, [west, south, east, north]: Bounds): boolean {
  const marginLat = SEARCH_RADIUS_M / DEGREE_M
  const marginLon = marginLat / Math.max(0.01, Math.cos((lat * Math.PI) / 180))
  return isWithin([west - marginLon, south - marginLat, east + marginLon, north + marginLat], lon, lat)
}
