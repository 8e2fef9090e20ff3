import type { AggregateQuery, SensorPlace } from './rollups.ts'

/** The sensors that are rolled up. */
export interface RollupPlaces {
  put(places: readonly SensorPlace[]): void
  /** A kind's sensors in the order of their ids. */
  of(kind: string): readonly SensorPlace[]
  /** Those of them that a scope sums up. */
  within(query: Pick<AggregateQuery, 'kind' | 'scope' | 'id'>): readonly SensorPlace[]
}

export function createRollupPlaces(): RollupPlaces {
  const byKind = new Map<string, Map<string, SensorPlace>>()
  /** Sorting a large city takes longer than summing it up. */
  const sorted = new Map<string, readonly SensorPlace[]>()
  const of = (kind: string): readonly SensorPlace[] => {
    let list = sorted.get(kind)
    if (!list) {
      list = [...(byKind.get(kind)?.values() ?? [])].sort((a, b) => (a.sensorId < b.sensorId ? -1 : 1))
      sorted.set(kind, list)
    }
    return list
  }
  return {
    of,
    put(places) {
      for (const place of places) {
        const own = byKind.get(place.kind) ?? new Map<string, SensorPlace>()
        byKind.set(place.kind, own.set(place.sensorId, place))
        sorted.delete(place.kind)
      }
    },
    within({ kind, scope, id }) {
      if (scope === 'city') return of(kind)
      if (scope === 'zone') return of(kind).filter(({ zone }) => zone === id)
      const place = byKind.get(kind)?.get(id)
      return place ? [place] : []
    },
  }
}
