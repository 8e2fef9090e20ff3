import {
  toFreshness,
  toIsoTime,
  type HourlyMean,
  type Kind,
  type MetricValue,
  type SensorDetail,
  type SensorFeature,
} from '@pulso/model'
import type { Entry } from './entry.ts'

/** The sensor as everybody may see it, as JSON: kept until something changes. */
export function toFeatureJson(entry: Entry, nowMs: number): string {
  entry.json ??= JSON.stringify(toFeature(entry, nowMs))
  return entry.json
}

/** The sensor as everybody may see it: internal metrics and values that are offline are left out. */
export function toFeature(entry: Entry, nowMs: number): SensorFeature {
  const values: Record<string, MetricValue> = {}
  for (const [metric, timed] of Object.entries(entry.state?.values ?? {})) {
    if (!isPublic(entry.kind, metric)) continue
    if (toFreshness(entry.rules, timed.timeMs, nowMs) !== 'offline') values[metric] = timed.value
  }
  return {
    type: 'Feature',
    id: entry.sensor.id,
    geometry: toGeometry(entry),
    properties: {
      id: entry.sensor.id,
      kind: entry.kind.id,
      name: entry.sensor.name,
      zone: entry.zone,
      state: entry.stands,
      freshness: entry.freshness,
      time: toTime(entry.state?.timeMs),
      values,
    },
  }
}

/** The feature with each value's own time, offline ones too: a detail page shows how old they are. */
export function toDetail(entry: Entry, nowMs: number): SensorDetail {
  const metrics: SensorDetail['properties']['metrics'] = {}
  for (const [metric, { value, timeMs }] of Object.entries(entry.state?.values ?? {})) {
    if (!isPublic(entry.kind, metric)) continue
    const freshness = toFreshness(entry.rules, timeMs, nowMs)
    metrics[metric] = { value, time: toIsoTime(timeMs), freshness }
  }
  const hourly: Record<string, HourlyMean> = {}
  for (const [metric, mean] of Object.entries(entry.state?.hourly ?? {})) {
    if (isPublic(entry.kind, metric)) hourly[metric] = mean
  }
  const feature = toFeature(entry, nowMs)
  return {
    ...feature,
    properties: {
      ...feature.properties,
      receivedAt: toTime(entry.state?.receivedAtMs),
      attributes: entry.sensor.attributes,
      metrics,
      hourly,
    },
  }
}

/** A time as people get it. A sensor that only its connection spoke for has no time of a reading. */
export function toTime(timeMs: number | undefined): string | null {
  return timeMs === undefined || timeMs <= 0 ? null : toIsoTime(timeMs)
}

/** Whether everybody may see the metric. */
export function isPublic(kind: Kind, metric: string): boolean {
  const known = Object.hasOwn(kind.metrics, metric) ? kind.metrics[metric] : undefined
  return known !== undefined && known.internal !== true
}

function toGeometry({ sensor: { position } }: Entry): SensorFeature['geometry'] {
  return position && { type: 'Point', coordinates: [position.lon, position.lat] }
}
