import {
  MINUTE_MS,
  toIsoTime,
  type AggregatesView,
  type CityView,
  type HistoryBuckets,
  type HistoryView,
  type LiveEvent,
  type SensorCollection,
  type SensorDetail,
  type TimedValue,
  type ZonesView,
} from '@pulso/model'
import { createCurrentState } from '../current/current-state.ts'
import { toDetail, toFeature } from '../current/features.ts'
import { toCursor } from '../http/query.ts'
import type { ApiOptions } from '../options.ts'
import { toCityView } from './city-view.ts'

export const EXAMPLE_MS = Date.UTC(2026, 4, 31, 10)

/** Answers for the OpenAPI document, worked out from this city and its first kind by the code that answers. */
export interface Examples {
  city: CityView
  zones: ZonesView
  sensors: SensorCollection
  sensor: SensorDetail
  history: HistoryView
  aggregates: AggregatesView
  historyBuckets: HistoryBuckets
  live: LiveEvent
}

export function createExamples({
  city,
  kinds,
  clockLimits,
}: Pick<ApiOptions, 'city' | 'kinds' | 'clockLimits'>): Examples {
  const clock = { now: () => EXAMPLE_MS }
  const [kind] = kinds.values()
  const [west, south, east, north] = city.bounds
  const current = createCurrentState({ zones: city.zones, kinds, clock })
  const sensorId = 'bay-042'
  const timed = { timeMs: EXAMPLE_MS - MINUTE_MS, receivedAtMs: EXAMPLE_MS - MINUTE_MS + 400 }
  if (kind) {
    const position = { lon: (west + east) / 2, lat: (south + north) / 2 }
    const sensor = {
      id: sensorId,
      kind: kind.id,
      name: null,
      position,
      attributes: {},
      createdAtMs: EXAMPLE_MS,
    }
    const timedValues: [string, TimedValue][] = Object.entries(kind.example).map(([name, value]) => [
      name,
      { value, timeMs: timed.timeMs },
    ])
    current.putSensors([sensor])
    current.applyStates([
      {
        sensorId,
        kind: kind.id,
        ...timed,
        values: Object.fromEntries(timedValues),
        hourly: {},
        presence: null,
      },
    ])
  }
  const entries = current.list()
  const features = entries.map((entry) => toFeature(entry, EXAMPLE_MS))
  const groups = current.groups()
  const zones = groups.zones.map(({ view }) => view)
  const sums = groups.city.slice(0, 1).map(({ view }) => view)
  const time = toIsoTime(EXAMPLE_MS)
  const [metric = 'status', value = 0] = Object.entries(kind?.example ?? {})[0] ?? []
  const view = toCityView({ city, kinds, clock: clockLimits })
  return {
    city: { ...view, kinds: view.kinds.slice(0, 1), zones: [] },
    zones: { time, zones, city: sums },
    sensors: { type: 'FeatureCollection', features, next: toCursor([sensorId]) },
    sensor: entries[0] ? toDetail(entries[0], EXAMPLE_MS) : emptyDetail(sensorId),
    history: {
      sensor: sensorId,
      metric,
      from: toIsoTime(EXAMPLE_MS - 60 * MINUTE_MS),
      to: time,
      points: [{ time: toIsoTime(timed.timeMs), value }],
      truncated: false,
    },
    aggregates: { kind: kind?.id ?? 'none', zone: null, ...toExampleBuckets(metric, city.timeZone) },
    historyBuckets: { sensor: sensorId, ...toExampleBuckets(metric, city.timeZone) },
    live: { time, sensors: features, zones, city: sums },
  }
}

function toExampleBuckets(metric: string, timeZone: string): Omit<HistoryBuckets, 'sensor'> {
  const from = toIsoTime(EXAMPLE_MS - 60 * MINUTE_MS)
  return {
    metric,
    step: '1h',
    fn: 'count',
    timeZone,
    buckets: [{ from, to: toIsoTime(EXAMPLE_MS), value: 12 }],
  }
}

/** For an installation without any kind of sensor. */
function emptyDetail(id: string): SensorDetail {
  return {
    type: 'Feature',
    id,
    geometry: null,
    properties: {
      id,
      kind: 'none',
      name: null,
      zone: null,
      state: 'unknown',
      freshness: 'offline',
      time: null,
      values: {},
      receivedAt: null,
      attributes: {},
      metrics: {},
      hourly: {},
    },
  }
}
