import { MINUTE_MS, toIsoTime, type NearestView } from '@pulso/model'
import type { ApiOptions } from '../options.ts'
import { EXAMPLE_MS } from '../routes/examples.ts'
import { WALKING } from './answer.ts'

/** An answer for the OpenAPI document, in this city. */
export function createNearestExample({ city, kinds }: Pick<ApiOptions, 'city' | 'kinds'>): NearestView {
  const [west, south, east, north] = city.bounds
  const from = { lat: (south + north) / 2, lon: (west + east) / 2 }
  const kind = [...kinds.values()].find(({ availability }) => availability?.place === 'zone')
  const zone = city.zones[0]
  const atMs = EXAMPLE_MS + 30 * MINUTE_MS
  return {
    time: toIsoTime(EXAMPLE_MS),
    from,
    at: toIsoTime(atMs),
    walking: WALKING,
    places: [
      {
        kind: kind?.id ?? 'bays',
        sensor: null,
        zone: zone?.id ?? null,
        name: zone?.name ?? null,
        state: null,
        free: 23,
        total: 80,
        unknown: 2,
        freshness: 'fresh',
        sensors: { fresh: 76, stale: 2, offline: 2 },
        time: toIsoTime(EXAMPLE_MS - 40_000),
        ageS: 40,
        trend: 'falling',
        distanceM: 250,
        walkS: 260,
        position: from,
        measuredTo: 'nearest-free',
        forecast: {
          at: toIsoTime(atMs),
          free: 17,
          low: 12,
          high: 23,
          basis: { weeks: 5, n: 25, error: 3.1, errorAsNow: 5.4 },
        },
      },
    ],
    note: null,
  }
}
