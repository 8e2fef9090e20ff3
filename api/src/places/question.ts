import {
  type AppError,
  clip,
  FORECAST_HORIZONS_MS,
  formatDuration,
  isWithin,
  MINUTE_MS,
  type City,
  type Kinds,
  type Position,
} from '@pulso/model'
import { badRequest, parseKinds, parseQueryTime } from '../http/query.ts'
import type { AttributeFilter } from './places.ts'

/** So many attributes at once narrow down enough. */
const MAX_ATTRIBUTES = 5
const MAX_AHEAD_MS = Math.max(...FORECAST_HORIZONS_MS)
/** A phone whose clock is a little behind asks for a moment that has just passed. */
const PAST_TOLERANCE_MS = MINUTE_MS

/** @throws AppError `invalid-position`, `swapped-position` (400) */
export function parsePosition({ lat, lon }: Position, { bounds }: City): Position {
  // Santander's longitude is a latitude somewhere off Kenya: the answer would be empty, and nobody would know why.
  if (!isWithin(bounds, lon, lat) && isWithin(bounds, lat, lon))
    throw badRequest(
      'swapped-position',
      `'lat' and 'lon' are swapped: over this city it is lat=${lon}, lon=${lat}`,
    )
  if (!(Math.abs(lat) <= 90)) throw badRequest('invalid-position', "'lat' must lie within -90 and 90 degrees")
  if (!(Math.abs(lon) <= 180))
    throw badRequest('invalid-position', "'lon' must lie within -180 and 180 degrees")
  return { lat, lon }
}

/** `kind=a,b` of kinds that have places. @throws AppError `unknown-kind` (400) */
export function parsePlaceKinds(text: string | undefined, kinds: Kinds): ReadonlySet<string> | undefined {
  const wanted = parseKinds(text, kinds)
  for (const id of wanted ?? []) {
    if (!kinds.get(id)?.availability)
      throw badRequest('unknown-kind', `Nobody looks for a free one of the kind '${id}'`)
  }
  return wanted
}

/** `attribute=accessible:true,maxStay:120`. @throws AppError `invalid-attribute` (400) */
export function parseAttributes(text: string | undefined): AttributeFilter[] {
  const parts = (text ?? '').split(',').filter((part) => part.trim() !== '')
  if (parts.length > MAX_ATTRIBUTES)
    throw badRequest('invalid-attribute', `At most ${MAX_ATTRIBUTES} attributes can be asked for at once`)
  return parts
    .map((part) => {
      const at = part.indexOf(':')
      const [name, value] = [part.slice(0, at).trim(), part.slice(at + 1).trim()]
      if (at < 1 || name === '' || value === '')
        throw badRequest(
          'invalid-attribute',
          `'${clip(part)}' is no attribute: write name:value, like accessible:true`,
        )
      return { name, value }
    })
    .sort((a, b) => (`${a.name}:${a.value}` < `${b.name}:${b.value}` ? -1 : 1))
}

/**
 * When somebody arrives, by the clock or in minutes; `null` when nobody asks.
 * @throws AppError `invalid-time`, `conflicting-parameters`, `time-in-past`, `too-far-ahead` (400)
 */
export function parseArrival(
  { at, in: minutes }: { at?: string; in?: number },
  nowMs: number,
): number | null {
  if (at !== undefined && minutes !== undefined)
    throw badRequest('conflicting-parameters', "Ask with 'at' or with 'in', not with both")
  if (at === undefined && minutes === undefined) return null
  const atMs = minutes === undefined ? parseQueryTime('at', at, nowMs) : nowMs + minutes * MINUTE_MS
  if (atMs < nowMs - PAST_TOLERANCE_MS) throw badRequest('time-in-past', "'at' has passed already")
  if (atMs > nowMs + MAX_AHEAD_MS) throw tooFarAhead()
  return Math.max(nowMs, atMs)
}

function tooFarAhead(): AppError {
  return badRequest(
    'too-far-ahead',
    `Free spaces are forecast for at most ${formatDuration(MAX_AHEAD_MS)} ahead; later than that, nobody has measured how wrong it would be`,
  )
}
