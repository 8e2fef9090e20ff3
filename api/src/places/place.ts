import { UNKNOWN_STATE, type Availability, type Freshness, type Kind } from '@pulso/model'
import type { Entry } from '../current/entry.ts'
import { toTime } from '../current/features.ts'

/** Somewhere to be sent to: a sensor that counts its own, or a zone's sensors of one kind together. */
export interface Place {
  readonly key: string
  readonly kind: Kind
  readonly availability: Availability
  /** The sensor that is the place; `null` where it is a zone's. */
  readonly sensorId: string | null
  readonly zone: string | null
  readonly name: string | null
  readonly members: Entry[]
  /** Beside the kind's figures: where `free` and `total` are among a member's contributions. */
  readonly freeIndex: number
  readonly totalIndex: number
  /** Kept up with each member's change, so that a change costs the same however large the zone is. */
  readonly counts: Counts
  /** `undefined` behind a change, until somebody asks. */
  tally: Tally | undefined
}

interface Counts {
  free: number
  /** Members that know how many are free. */
  known: number
  total: number
  /** Members that do not know how many there are. */
  totalUnknown: number
  sensors: Record<Freshness, number>
  timeMs: number
}

/** How a place stands. Unknown is never free. */
export interface Tally {
  /** `null`: nobody knows. */
  free: number | null
  total: number | null
  freshness: Freshness
  /** Of the newest reading; 0 when there is none. */
  timeMs: number
  /** What of the answer is the same for everybody, as JSON without its brackets. */
  json: string
}

/** What a member is counted as at the moment; NaN where it does not know. */
export interface Share {
  readonly place: Place
  readonly entry: Entry
  free: number
  total: number
  freshness: Freshness
}

/** @returns `undefined` where the sensor is no place to be sent to, nor part of one */
export function toPlaceKey({ kind, zone, sensor }: Entry): string | undefined {
  if (!kind.availability || !sensor.position) return undefined
  if (kind.availability.place === 'sensor') return `${kind.id} sensor ${sensor.id}`
  return zone === null ? undefined : `${kind.id} zone ${zone}`
}

/** @param zoneNames by id */
export function createPlace(
  key: string,
  { kind, zone, sensor }: Entry,
  zoneNames: ReadonlyMap<string, string>,
): Place | undefined {
  const { availability } = kind
  if (!availability) return undefined
  const isSensor = availability.place === 'sensor'
  return {
    key,
    kind,
    availability,
    sensorId: isSensor ? sensor.id : null,
    zone,
    name: isSensor ? sensor.name : (zoneNames.get(zone ?? '') ?? null),
    members: [],
    freeIndex: kind.figures.findIndex(({ id }) => id === availability.free),
    totalIndex: kind.figures.findIndex(({ id }) => id === availability.total),
    counts: {
      free: 0,
      known: 0,
      total: 0,
      totalUnknown: 0,
      sensors: { fresh: 0, stale: 0, offline: 0 },
      timeMs: 0,
    },
    tally: undefined,
  }
}

/** Makes the sensor a member and counts it. */
export function addMember(place: Place, entry: Entry): Share {
  place.members.push(entry)
  const share = { place, entry, free: NaN, total: NaN, freshness: entry.freshness }
  takeNew(share)
  return share
}

/** Counts a member anew that has changed. */
export function updateShare(share: Share): void {
  const { counts } = share.place
  counts.sensors[share.freshness] -= 1
  if (!Number.isNaN(share.free)) {
    counts.free -= share.free
    counts.known -= 1
  }
  if (Number.isNaN(share.total)) counts.totalUnknown -= 1
  else counts.total -= share.total
  takeNew(share)
}

function takeNew(share: Share): void {
  const { place, entry } = share
  const { counts } = place
  share.free = freeAt(place, entry)
  share.total = entry.contributions[place.totalIndex] ?? NaN
  share.freshness = entry.freshness
  counts.sensors[share.freshness] += 1
  if (!Number.isNaN(share.free)) {
    counts.free += share.free
    counts.known += 1
  }
  if (Number.isNaN(share.total)) counts.totalUnknown += 1
  else counts.total += share.total
  // A sensor's time never goes back.
  counts.timeMs = Math.max(counts.timeMs, entry.state?.timeMs ?? 0)
  place.tally = undefined
}

/** What is free at a member; NaN where it cannot be known, 0 where nothing is to be had. */
function freeAt({ availability, freeIndex }: Place, entry: Entry): number {
  if (entry.freshness === 'offline' || entry.stands === UNKNOWN_STATE) return NaN
  if (availability.closed?.includes(entry.stands)) return 0
  return entry.contributions[freeIndex] ?? NaN
}

export function tallyOf(place: Place): Tally {
  place.tally ??= toTally(place)
  return place.tally
}

function toTally(place: Place): Tally {
  const { free, known, total, totalUnknown, sensors, timeMs } = place.counts
  const figures = {
    free: known === 0 ? null : free,
    // A total that leaves some out would be less than the part that is counted of it.
    total: totalUnknown > 0 ? null : total,
    freshness: known === 0 ? 'offline' : toFreshness(sensors),
  } as const
  const view = {
    kind: place.kind.id,
    sensor: place.sensorId,
    zone: place.zone,
    name: place.name,
    state: place.sensorId === null ? null : (place.members[0]?.stands ?? UNKNOWN_STATE),
    ...figures,
    unknown: place.members.length - known,
    sensors,
    time: toTime(timeMs),
  }
  return { ...figures, timeMs, json: JSON.stringify(view).slice(1, -1) }
}

/** A zone is as fresh as most of those of its sensors that are known. */
function toFreshness(sensors: Readonly<Record<Freshness, number>>): Freshness {
  return sensors.fresh >= sensors.stale ? 'fresh' : 'stale'
}
