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

/** What a kind says of itself by these figures: how many places there are, and how many of them are free. */
const FREE = 'free'
const TOTAL = 'total'
const CLOSED = 'closed'

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
    if (!zone || !countsPlaces(group.kind)) return []
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

function toCountedMetrics({ figures }: Kind): CountedMetrics | undefined {
  const free = figures.find(({ id }) => id === FREE)
  const total = figures.find(({ id }) => id === TOTAL)
  return free?.of === 'sum' && total?.of === 'sum' ? { free: free.metric, total: total.metric } : undefined
}

function countsPlaces({ figures }: Kind): boolean {
  const free = figures.find(({ id }) => id === FREE)
  return (
    free?.of === 'count' &&
    free.state !== undefined &&
    figures.some(({ id, of }) => id === TOTAL && of === 'count')
  )
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
    state: stands === CLOSED ? 'closed' : isKnown ? 'open' : 'nodata',
    forecast: false,
  }
}

function toZoneLot({ kind, zone, view }: Group): Omit<ParkApiLot, 'name' | 'coords'> {
  const isKnown = view.freshness.fresh > 0
  return {
    id: `${kind.id}-${zone ?? ''}`,
    total: view.sensors,
    free: isKnown ? (view.figures[FREE] ?? 0) : 0,
    state: view.states[CLOSED] === view.sensors ? 'closed' : isKnown ? 'open' : 'nodata',
    forecast: false,
  }
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
    .city.filter(({ kind }) => toCountedMetrics(kind) !== undefined || countsPlaces(kind))
    .map(({ view }) => (view.time === null ? 0 : Date.parse(view.time)))
  return Math.max(0, ...times) || current.changedAtMs
}

/** UTC without saying so, to the second: as the format has it. */
function toParkApiTime(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19)
}
