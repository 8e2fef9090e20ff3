import {
  toFreshness,
  type City,
  type Kind,
  type Language,
  type ParkApiCity,
  type ParkApiLot,
} from '@pulso/model'
import type { CurrentState } from '../current/current-state.ts'
import type { Entry } from '../current/entry.ts'
import type { Group } from '../current/groups.ts'
import { toLabelPosition } from '../tiles/mercator.ts'

/**
 * The city's parking as ParkAPI tells it. A kind whose sensors count places gives a lot for each sensor; of a kind whose
 * sensors are places, each zone is a lot.
 */
export function toParkApiCity({
  current,
  city,
  nowMs,
  source,
}: {
  current: CurrentState
  city: City
  nowMs: number
  source: string
}): ParkApiCity {
  const names = new Map(city.zones.map(({ id, name }) => [id, name]))
  const [language = 'en'] = city.languages
  const counters = current.list().flatMap((entry) => {
    const metrics = toCountedMetrics(entry.kind)
    const lot = metrics && toCounterLot(entry, { ...metrics, nowMs })
    return lot ? [{ ...lot, ...toOptional(entry.zone, { names, entry, language }) }] : []
  })
  const zones = current.groups().zones.flatMap((group) => {
    const zone = city.zones.find(({ id }) => id === group.zone)
    if (!zone || !isCountedByZone(group.kind)) return []
    const { lon, lat } = toLabelPosition(zone.geometry)
    const lot = { ...toZoneLot(group), name: zone.name, coords: { lat, lng: lon } }
    return [{ ...lot, region: zone.name, lot_type: group.kind.plural[language] }]
  })
  return {
    last_updated: toParkApiTime(toNewestMs(current)),
    last_downloaded: toParkApiTime(current.changedAtMs),
    data_source: source,
    lots: [...counters, ...zones],
  }
}

interface CountedMetrics {
  free: string
  total: string
}

/** The metrics behind a kind's figures of what is free, where each of its sensors counts places. */
function toCountedMetrics({ availability, figures }: Kind): CountedMetrics | undefined {
  if (availability?.place !== 'sensor') return undefined
  const free = figures.find(({ id }) => id === availability.free)
  const total = figures.find(({ id }) => id === availability.total)
  return free?.of === 'sum' && total?.of === 'sum' ? { free: free.metric, total: total.metric } : undefined
}

/** Whether a kind's sensors are places themselves, to be counted by zone. */
function isCountedByZone({ availability }: Kind): boolean {
  return availability?.place === 'zone'
}

function toCounterLot(
  entry: Entry,
  { free, total, nowMs }: CountedMetrics & { nowMs: number },
): ParkApiLot | undefined {
  const { sensor, state, rules, stands } = entry
  if (!sensor.position) return undefined
  const newest = state?.values[free]
  const places = state?.values[total]?.value ?? sensor.attributes[total]
  const isKnown = typeof newest?.value === 'number' && toFreshness(rules, newest.timeMs, nowMs) === 'fresh'
  const { lat, lon } = sensor.position
  return {
    id: sensor.id,
    name: sensor.name ?? sensor.id,
    coords: { lat, lng: lon },
    // The format knows no null: 0 of what nobody told, and `nodata` says that the number means nothing.
    total: typeof places === 'number' ? places : 0,
    free: isKnown ? Number(newest.value) : 0,
    state: isClosed(entry.kind, stands) ? 'closed' : isKnown ? 'open' : 'nodata',
    forecast: false,
  }
}

function toZoneLot({ kind, zone, view }: Group): Omit<ParkApiLot, 'name' | 'coords'> {
  const isKnown = view.freshness.fresh > 0
  const states = Object.entries(view.states).filter(([state]) => isClosed(kind, state))
  const closed = states.reduce((sum, [, count]) => sum + count, 0)
  return {
    id: `${kind.id}-${zone ?? ''}`,
    total: view.sensors,
    free: isKnown ? (view.figures[kind.availability?.free ?? ''] ?? 0) : 0,
    state: closed === view.sensors ? 'closed' : isKnown ? 'open' : 'nodata',
    forecast: false,
  }
}

function isClosed({ availability }: Kind, state: string): boolean {
  return availability?.closed?.includes(state) ?? false
}

function toOptional(
  zone: string | null,
  { names, entry, language }: { names: ReadonlyMap<string, string>; entry: Entry; language: Language },
): Pick<ParkApiLot, 'region' | 'address' | 'lot_type'> {
  const region = zone === null ? undefined : names.get(zone)
  const { address } = entry.sensor.attributes
  return {
    ...(region !== undefined && { region }),
    ...(typeof address === 'string' && { address }),
    lot_type: entry.kind.title[language],
  }
}

function toNewestMs(current: CurrentState): number {
  const times = current
    .groups()
    .city.filter(({ kind }) => toCountedMetrics(kind) !== undefined || isCountedByZone(kind))
    .map(({ view }) => (view.time === null ? 0 : Date.parse(view.time)))
  return Math.max(0, ...times) || current.changedAtMs
}

/** UTC without saying so, to the second: as the format has it. */
function toParkApiTime(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19)
}
