import {
  boundsOf,
  parseTime,
  toPolygons,
  type Bounds,
  type OgcFeature,
  type Zone,
  type ZoneAggregate,
} from '@pulso/model'
import type { Entry } from '../../current/entry.ts'
import { toFeature } from '../../current/features.ts'
import type { Group } from '../../current/groups.ts'
import { badRequest } from '../../http/query.ts'

export type Feature = Omit<OgcFeature, 'links'>

/** What a page of features is chosen by. */
export interface FeatureFilter {
  bbox?: Bounds
  /** In ms since 1970, both ends included. */
  period?: { fromMs: number; toMs: number }
  zones?: ReadonlySet<string>
  states?: ReadonlySet<string>
  freshness?: string
}

/** A sensor with its public values as properties of their own, which is what tables and styles of maps work with. */
export function toSensorFeature(entry: Entry, nowMs: number): Feature {
  const { type, id, geometry, properties } = toFeature(entry, nowMs)
  const { values, ...plain } = properties
  // What the kind calls a value never hides what every sensor has.
  return { type, id, geometry, properties: { ...values, ...plain } }
}

export function isWantedSensor(
  { sensor, state, zone, stands, freshness }: Entry,
  filter: FeatureFilter,
): boolean {
  if (filter.zones && (zone === null || !filter.zones.has(zone))) return false
  if (filter.states && !filter.states.has(stands)) return false
  if (filter.freshness !== undefined && freshness !== filter.freshness) return false
  const { position } = sensor
  if (
    filter.bbox &&
    !(position && overlaps(filter.bbox, [position.lon, position.lat, position.lon, position.lat]))
  )
    return false
  const timeMs = state?.timeMs ?? 0
  // The standard's rule: what has no time is not excluded by one.
  if (!filter.period || timeMs <= 0) return true
  return timeMs >= filter.period.fromMs && timeMs <= filter.period.toMs
}

/** A zone with the sums of each kind: `bins_sensors`, `bins_state_full`, `bins_fill`, … */
export function toZoneFeature({ id, name, geometry }: Zone, groups: readonly Group[]): Feature {
  const sums = groups.filter(({ zone }) => zone === id).flatMap(({ view }) => toSums(view))
  return { type: 'Feature', id, geometry, properties: { id, name, ...Object.fromEntries(sums) } }
}

export function isWantedZone({ geometry }: Zone, { bbox }: FeatureFilter): boolean {
  return bbox === undefined || overlaps(bbox, boundsOf(toPolygons(geometry).flat(2)))
}

/**
 * `datetime=`: an instant, or two with a slash, of which one may be `..` or empty.
 * @throws AppError `invalid-datetime` (400)
 */
export function parseDatetime(text: string | undefined): FeatureFilter['period'] {
  if (text === undefined) return undefined
  const parts = text.replaceAll(' ', '+').split('/')
  const [from = '', to = from] = parts
  const period = { fromMs: toEnd(from, -Infinity), toMs: toEnd(to, Infinity) }
  const isOpenInstant = parts.length === 1 && !Number.isFinite(period.fromMs)
  if (parts.length > 2 || isOpenInstant || Number.isNaN(period.fromMs) || Number.isNaN(period.toMs))
    throw badRequest(
      'invalid-datetime',
      "'datetime' is an ISO 8601 time with a zone, or two with a slash: 2026-05-31T08:00:00Z/2026-05-31T09:00:00Z; " +
        '.. leaves an end open',
    )
  if (period.fromMs > period.toMs)
    throw badRequest('invalid-datetime', "'datetime' ends before it begins: the earlier time comes first")
  return period
}

function toEnd(text: string, open: number): number {
  return text === '' || text === '..' ? open : (parseTime(text) ?? NaN)
}

function overlaps(a: Bounds, b: Bounds): boolean {
  return a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3]
}

function toSums(view: ZoneAggregate): [string, number | string | null][] {
  const states = Object.entries(view.states).map(([id, count]): [string, number] => [
    `${view.kind}_state_${id}`,
    count,
  ])
  const figures = Object.entries(view.figures).map(([id, value]): [string, number | null] => [
    `${view.kind}_${id}`,
    value,
  ])
  return [[`${view.kind}_sensors`, view.sensors], ...states, ...figures, [`${view.kind}_time`, view.time]]
}
