import { FRESHNESS, UNKNOWN_STATE, type Availability, type Freshness, type Kind } from '@pulso/model'
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
  tally: Tally
  /** The tick that the tally was made in. */
  talliedAt: number
}

/** How a place stands. Unknown is never free. */
export interface Tally {
  /** `null`: nobody knows. */
  free: number | null
  total: number | null
  /** How many of a zone's sensors say nothing that holds. */
  unknown: number
  freshness: Freshness
  sensors: Record<Freshness, number>
  /** Of the newest reading; 0 when there is none. */
  timeMs: number
  /** What of the answer is the same for everybody, as JSON without its brackets. */
  json: string
}

const NO_TALLY: Tally = {
  free: null,
  total: null,
  unknown: 0,
  freshness: 'offline',
  sensors: { fresh: 0, stale: 0, offline: 0 },
  timeMs: 0,
  json: '',
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
    tally: NO_TALLY,
    talliedAt: -1,
  }
}

/** What is free at a member; NaN where it cannot be known, or nothing is to be had. */
export function freeAt({ availability, freeIndex }: Place, entry: Entry): number {
  if (entry.freshness === 'offline' || entry.stands === UNKNOWN_STATE) return NaN
  if (availability.closed?.includes(entry.stands)) return 0
  return entry.contributions[freeIndex] ?? NaN
}

/** Counts the members anew, once a tick for whoever asks. */
export function tallyPlace(place: Place, sequence: number): Tally {
  if (place.talliedAt === sequence) return place.tally
  const sensors = { fresh: 0, stale: 0, offline: 0 }
  let [free, known, total, timeMs] = [0, 0, 0, 0]
  for (const entry of place.members) {
    sensors[entry.freshness] += 1
    timeMs = Math.max(timeMs, entry.state?.timeMs ?? 0)
    const freeHere = freeAt(place, entry)
    if (!Number.isNaN(freeHere)) {
      known += 1
      free += freeHere
    }
    total += entry.contributions[place.totalIndex] ?? NaN
  }
  const counts = {
    free: known === 0 ? null : free,
    total: Number.isNaN(total) ? null : total,
    unknown: place.members.length - known,
    freshness: known === 0 ? 'offline' : toFreshness(sensors),
    sensors,
    timeMs,
  } as const
  place.talliedAt = sequence
  place.tally = { ...counts, json: toJson(place, counts) }
  return place.tally
}

/** A zone is as fresh as most of those of its sensors that are known. */
function toFreshness(sensors: Readonly<Record<Freshness, number>>): Freshness {
  return sensors.fresh >= sensors.stale ? 'fresh' : 'stale'
}

function toJson(place: Place, tally: Omit<Tally, 'json'>): string {
  const { free, total, unknown, freshness, sensors, timeMs } = tally
  const view = {
    kind: place.kind.id,
    sensor: place.sensorId,
    zone: place.zone,
    name: place.name,
    state: place.sensorId === null ? null : (place.members[0]?.stands ?? UNKNOWN_STATE),
    free,
    total,
    unknown,
    freshness,
    sensors: Object.fromEntries(FRESHNESS.map((word) => [word, sensors[word]])),
    time: toTime(timeMs),
  }
  return JSON.stringify(view).slice(1, -1)
}
