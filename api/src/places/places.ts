import { SECOND_MS, type City, type Clock, type Position } from '@pulso/model'
import type { CurrentState } from '../current/current-state.ts'
import type { Entry } from '../current/entry.ts'
import { createGrid, type Grid, type Near } from './grid.ts'
import { addMember, createPlace, tallyOf, toPlaceKey, type Place, type Share } from './place.ts'
import { addSample, type FreeSample } from './trend.ts'

/** How far anybody is sent. */
export const SEARCH_RADIUS_M = 5_000

/** New and moved sensors are taken in this often at most: a large import comes in hundreds of steps. */
const REBUILD_EVERY_MS = 2 * SECOND_MS
/** Combinations of attributes that are kept ready; the one asked for longest ago goes. */
const MAX_FILTERS = 16

export interface PlacesQuestion {
  from: Position
  limit: number
  /** All kinds when absent. */
  kinds: ReadonlySet<string> | undefined
  /** Only sensors that have all of these. */
  attributes: readonly AttributeFilter[]
  /** Whether places are wanted as well where nothing is free or nobody knows, behind the others. */
  includeFull: boolean
}

export interface AttributeFilter {
  name: string
  /** As text: `true`, `120`. */
  value: string
}

export interface Places {
  /** Places in the order of the answer: free ones by distance, then stale ones, then full and unknown ones. */
  find(question: PlacesQuestion): Near[]
  /** All places that have such sensors; without attributes all there are. */
  list(attributes?: readonly AttributeFilter[]): readonly Place[]
  /** Notes what is free everywhere, for the trends. */
  sample(): void
  /** What was noted of a place. */
  samplesOf(key: string): readonly FreeSample[]
  /** What was free before the start, as far as it is not noted already. */
  recall(key: string, samples: readonly FreeSample[]): void
}

interface Index {
  places: readonly Place[]
  grid: Grid
  /** The tick up to which changes are counted. */
  sequence: number
  version: number
  builtAtMs: number
}

/** Where something may be free, found by distance. Everything is worked out when asked for, at most once a tick. */
export function createPlaces({
  city,
  current,
  clock,
}: {
  city: City
  current: CurrentState
  clock: Clock
}): Places {
  const zoneNames = new Map(city.zones.map(({ id, name }) => [id, name]))
  const indexes = new Map<string, Index>()
  const samples = new Map<string, FreeSample[]>()

  const indexOf = (attributes: readonly AttributeFilter[]): Index => {
    const key = JSON.stringify(attributes.map(({ name, value }) => [name, value]))
    const known = indexes.get(key)
    const nowMs = clock.now()
    const holds =
      known && (known.version === current.sensorsVersion || nowMs - known.builtAtMs < REBUILD_EVERY_MS)
    const index = holds ? known : build(attributes, nowMs)
    catchUp(index)
    // The one used last stands last.
    indexes.delete(key)
    indexes.set(key, index)
    const oldest = indexes.keys().next()
    if (indexes.size > MAX_FILTERS && !oldest.done) indexes.delete(oldest.value)
    return index
  }

  /** Counts what has changed since somebody last asked. */
  const catchUp = (index: Index): void => {
    if (index.sequence === current.sequence) return
    for (const entry of current.entriesSince(index.sequence)) index.grid.update(entry)
    index.sequence = current.sequence
  }

  const build = (attributes: readonly AttributeFilter[], nowMs: number): Index => {
    const { sensorsVersion: version, sequence } = current
    const shares: Share[] = []
    const byKey = new Map<string, Place>()
    for (const entry of current.list()) {
      const key = toPlaceKey(entry)
      if (key === undefined || !hasAll(entry, attributes)) continue
      const place = byKey.get(key) ?? createPlace(key, entry, zoneNames)
      if (!place) continue
      byKey.set(key, place)
      shares.push(addMember(place, entry))
    }
    const places = [...byKey.values()]
    return { places, grid: createGrid(shares), sequence, version, builtAtMs: nowMs }
  }

  return {
    find({ from, limit, kinds, attributes, includeFull }) {
      const isWanted = ({ kind }: Place): boolean => kinds?.has(kind.id) ?? true
      const near = indexOf(attributes).grid.search({
        from,
        limit,
        radiusM: SEARCH_RADIUS_M,
        includeFull,
        counts: (place) => isWanted(place) && rankOf(place) === 0,
      })
      return (
        near
          .filter(({ place }) => isWanted(place) && (includeFull || rankOf(place) <= 1))
          // By distance already, which the sort keeps among equals.
          .sort((a, b) => rankOf(a.place) - rankOf(b.place))
          .slice(0, limit)
      )
    },
    list: (attributes = []) => indexOf(attributes).places,
    sample() {
      const nowMs = clock.now()
      const { places } = indexOf([])
      const keys = new Set(places.map(({ key }) => key))
      for (const key of samples.keys()) if (!keys.has(key)) samples.delete(key)
      for (const place of places) {
        const { free } = tallyOf(place)
        if (free === null) continue
        const own = samples.get(place.key) ?? []
        samples.set(place.key, own)
        addSample(own, { timeMs: nowMs, free })
      }
    },
    samplesOf: (key) => samples.get(key) ?? [],
    recall(key, before) {
      const noted = samples.get(key) ?? []
      const own: FreeSample[] = []
      for (const sample of [...before, ...noted].sort((a, b) => a.timeMs - b.timeMs)) addSample(own, sample)
      samples.set(key, own)
    },
  }
}

/** Free, free as far as is known, full, unknown. */
function rankOf(place: Place): number {
  const { free, freshness } = tallyOf(place)
  if (free === null) return 3
  if (free === 0) return 2
  return freshness === 'fresh' ? 0 : 1
}

function hasAll({ sensor }: Entry, attributes: readonly AttributeFilter[]): boolean {
  return attributes.every(
    ({ name, value }) => Object.hasOwn(sensor.attributes, name) && String(sensor.attributes[name]) === value,
  )
}
