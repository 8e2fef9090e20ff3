import { AppError, clip, type City, type Clock, type Kinds, type OgcCollection } from '@pulso/model'
import type { CurrentState } from '../../current/current-state.ts'
import { toCursor } from '../../http/query.ts'
import { toCollections, ZONES_COLLECTION } from './collections.ts'
import {
  isWantedSensor,
  isWantedZone,
  toSensorFeature,
  toZoneFeature,
  type Feature,
  type FeatureFilter,
} from './features.ts'

export interface FeaturesQuery extends FeatureFilter {
  /** The id that the page before ended with. */
  after: string | undefined
  limit: number
}

export interface FeaturesPage {
  /** On all pages together. */
  matched: number
  features: Feature[]
  /** The cursor of the next page. */
  next: string | undefined
}

export interface OgcStore {
  /** @throws AppError `unknown-collection` (404) */
  findCollection(id: string, baseUrl: string): OgcCollection
  /** @throws AppError `unknown-feature` (404) */
  findFeature(collection: string, id: string): Feature
  listFeatures(collection: string, query: FeaturesQuery): FeaturesPage
}

export interface OgcStoreOptions {
  city: City
  kinds: Kinds
  current: CurrentState
  clock: Clock
}

/** Sensors and zones as the features of collections. */
export function createOgcStore({ city, kinds, current, clock }: OgcStoreOptions): OgcStore {
  const zones = city.zones.toSorted((a, b) => (a.id < b.id ? -1 : 1))

  const lookUp = (collection: string, id: string): Feature | undefined => {
    if (collection === ZONES_COLLECTION) {
      const zone = zones.find((known) => known.id === id)
      return zone && toZoneFeature(zone, current.groups().zones)
    }
    const entry = current.get(id)
    return entry?.kind.id === collection ? toSensorFeature(entry, clock.now()) : undefined
  }

  return {
    findCollection(id, baseUrl) {
      const found = toCollections({ city, kinds }, baseUrl).find((collection) => collection.id === id)
      if (!found)
        throw new AppError(
          'unknown-collection',
          `There is no collection '${clip(id)}'; /ogc/collections lists them`,
          {
            status: 404,
          },
        )
      return found
    },
    findFeature(collection, id) {
      const feature = lookUp(collection, id)
      if (!feature)
        throw new AppError('unknown-feature', `There is no '${clip(id)}' in the collection '${collection}'`, {
          status: 404,
        })
      return feature
    },
    listFeatures(collection, query) {
      if (collection === ZONES_COLLECTION) {
        const wanted = zones.filter((zone) => isWantedZone(zone, query))
        const { items, next } = toPage(wanted, { ...query, idOf: ({ id }) => id })
        const groups = current.groups().zones
        return { matched: wanted.length, features: items.map((zone) => toZoneFeature(zone, groups)), next }
      }
      const nowMs = clock.now()
      const wanted = current
        .list()
        .filter((entry) => entry.kind.id === collection && isWantedSensor(entry, query))
      const { items, next } = toPage(wanted, { ...query, idOf: ({ sensor }) => sensor.id })
      return { matched: wanted.length, features: items.map((entry) => toSensorFeature(entry, nowMs)), next }
    },
  }
}

function toPage<T>(
  sorted: readonly T[],
  { after, limit, idOf }: { after: string | undefined; limit: number; idOf: (item: T) => string },
): { items: T[]; next: string | undefined } {
  const rest = after === undefined ? sorted : sorted.filter((item) => idOf(item) > after)
  const items = rest.slice(0, limit)
  const last = items.at(-1)
  return {
    items,
    next: last !== undefined && rest.length > items.length ? toCursor([idOf(last)]) : undefined,
  }
}
