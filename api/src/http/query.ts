import { hash } from 'node:crypto'
import { AppError, clip, isWithin, parseTime, type Bounds, type City, type Kinds } from '@pulso/model'
import type { Entry } from '../current/entry.ts'

/** What a list or a feed is narrowed down to. */
export interface SensorFilter {
  /** All kinds when absent. */
  kinds?: ReadonlySet<string>
  bbox?: Bounds
}

/** `kinds=a,b`. @throws AppError `unknown-kind` (400) */
export function parseKinds(text: string | undefined, kinds: Kinds): ReadonlySet<string> | undefined {
  const names = parseNames(text)
  for (const name of names) {
    if (!kinds.has(name))
      throw badRequest(
        'unknown-kind',
        `There is no kind '${clip(name)}' here; there are ${[...kinds.keys()].join(', ')}`,
      )
  }
  return names.length > 0 ? new Set(names) : undefined
}

/** `zone=a,b`. @throws AppError `unknown-zone` (400) */
export function parseZones(text: string | undefined, city: City): ReadonlySet<string> | undefined {
  const names = parseNames(text)
  for (const name of names) {
    if (!city.zones.some(({ id }) => id === name))
      throw badRequest('unknown-zone', `There is no zone '${clip(name)}' here; /api/v1/city lists them`)
  }
  return names.length > 0 ? new Set(names) : undefined
}

/** `state=a,b`. @throws AppError `unknown-state` (400) */
export function parseStates(text: string | undefined, kinds: Kinds): ReadonlySet<string> | undefined {
  const names = parseNames(text)
  const states = new Set([...kinds.values()].flatMap((kind) => kind.states.map(({ id }) => id)))
  for (const name of names) {
    if (!states.has(name))
      throw badRequest(
        'unknown-state',
        `No kind has a state '${clip(name)}'; /api/v1/city lists each kind's states`,
      )
  }
  return names.length > 0 ? new Set(names) : undefined
}

/** As people and programs write degrees; `Number` would also take hexadecimal and nothing at all. */
const DECIMAL = /^\s*[+-]?\d+(\.\d*)?(e[+-]?\d+)?\s*$/i

/** `bbox=west,south,east,north`. @throws AppError `invalid-bbox` (400) */
export function parseBbox(text: string | undefined, city: City): Bounds | undefined {
  if (text === undefined || text === '') return undefined
  const numbers = text.split(',').map((part) => (DECIMAL.test(part) ? Number(part) : NaN))
  const [west = NaN, south = NaN, east = NaN, north = NaN] = numbers
  if (numbers.length !== 4 || !numbers.every(Number.isFinite)) throw invalidBbox('it must be four numbers')
  if (Math.abs(west) > 180 || Math.abs(east) > 180 || Math.abs(south) > 90 || Math.abs(north) > 90)
    throw invalidBbox('longitudes lie within -180 and 180, latitudes within -90 and 90')
  if (isSwapped([west, south, east, north], city.bounds))
    throw invalidBbox('this one has latitude before longitude: swap them')
  if (west > east || south > north)
    throw invalidBbox('west must not be greater than east, nor south than north')
  return [west, south, east, north]
}

/** A query's ISO 8601 time, or `fallbackMs` when absent. @throws AppError `invalid-time` (400) */
export function parseQueryTime(name: string, text: string | undefined, fallbackMs: number): number {
  if (text === undefined) return fallbackMs
  // A `+` of an offset that was not escaped arrives as a space.
  const timeMs = parseTime(text.replace(' ', '+'))
  if (timeMs === undefined)
    throw badRequest(
      'invalid-time',
      `'${name}' must be ISO 8601 with a zone, like 2026-05-31T08:00:00Z or 2026-05-31T10:00:00+02:00; ${toTimeHint(text)}`,
    )
  return timeMs
}

/** What people get wrong most often. */
function toTimeHint(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return 'a day alone has no zone and no hour'
  // The hour after a change of the clocks may be there twice or not at all: only the zone tells.
  if (/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/.test(text))
    return "this one has no zone: add Z for UTC, or the offset that the clocks had then, '+' written as %2B"
  if (/^\d+$/.test(text)) return 'a number of seconds or milliseconds is not taken'
  return 'years go from 2000 to 2099, and the day must exist'
}

/** What comes after the page that ended with this key, for clients to pass back unread. */
export function toCursor(key: readonly (string | number)[]): string {
  const content = JSON.stringify(key)
  return Buffer.from(toCheck(content) + content).toString('base64url')
}

/** @throws AppError `invalid-cursor` (400) */
export function parseCursor(
  text: string | undefined,
  types: readonly ('string' | 'number')[],
): unknown[] | undefined {
  if (text === undefined || text === '') return undefined
  const bytes = Buffer.from(text, 'base64url')
  const whole = bytes.toString()
  const content = whole.slice(CHECK_LENGTH)
  // Read back exactly: base64url passes over what is none of its letters.
  const isOurs = whole.slice(0, CHECK_LENGTH) === toCheck(content) && bytes.toString('base64url') === text
  const key = isOurs ? parseJson(content) : undefined
  const fits =
    Array.isArray(key) && key.length === types.length && types.every((type, i) => typeof key[i] === type)
  if (!fits) throw badRequest('invalid-cursor', "'cursor' must be the 'next' of an earlier page, unchanged")
  return key as unknown[]
}

const CHECK_LENGTH = 6

/**
 * Tells a cursor that was cut, changed or made up from ours. It is no secret: a cursor opens nothing that a question
 * without one would not, and every process at scale has to know every other one's.
 */
function toCheck(content: string): string {
  return hash('sha1', `cursor ${content}`, 'base64url').slice(0, CHECK_LENGTH)
}

export function matches({ kind, sensor }: Entry, filter: SensorFilter): boolean {
  if (filter.kinds && !filter.kinds.has(kind.id)) return false
  if (!filter.bbox) return true
  return sensor.position !== null && isWithin(filter.bbox, sensor.position.lon, sensor.position.lat)
}

export function badRequest(code: string, message: string): AppError {
  return new AppError(code, message, { status: 400 })
}

function parseNames(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** Far from the city as it was sent, and over it once swapped: someone wrote latitude first. */
function isSwapped([west, south, east, north]: Bounds, city: Bounds): boolean {
  return !overlaps([west, south, east, north], city) && overlaps([south, west, north, east], city)
}

function overlaps(a: Bounds, b: Bounds): boolean {
  return a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3]
}

function invalidBbox(reason: string): AppError {
  return badRequest(
    'invalid-bbox',
    `'bbox' is west,south,east,north in degrees, longitude (lon) before latitude (lat); ${reason}`,
  )
}
