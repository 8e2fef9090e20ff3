import {
  UNITS,
  type City,
  type CityView,
  type Kind,
  type Kinds,
  type Metric,
  type MetricView,
} from '@pulso/model'
import { createHash } from 'node:crypto'
import { isPublic } from '../current/features.ts'

/** The city as everybody may see it. */
export function toCityView({
  city,
  kinds,
  clock,
}: {
  city: City
  kinds: Kinds
  clock: CityView['clock']
}): CityView {
  const schematic = toSchematic(city)
  return {
    name: city.name,
    bounds: city.bounds,
    timeZone: city.timeZone,
    languages: city.languages,
    attribution: city.attribution ?? null,
    kinds: [...kinds.values()].map(toKindView),
    zones: city.zones.map(({ id, name, geometry }) => ({ id, name, geometry })),
    basemap: city.basemap ? ('schematic' in city.basemap ? 'schematic' : 'pmtiles') : null,
    clock,
    ...(schematic && { basemapVersion: schematic.version }),
  }
}

function toKindView(kind: Kind): CityView['kinds'][number] {
  return {
    id: kind.id,
    title: kind.title,
    plural: kind.plural,
    metrics: Object.entries(kind.metrics)
      .filter(([id]) => isPublic(kind, id))
      .map(([id, metric]) => toMetricView(id, metric)),
    states: kind.states.map((state) => ({ ...state })),
    figures: kind.figures.map((figure) => ({
      id: figure.id,
      title: figure.title,
      ...('metric' in figure ? { metric: figure.metric } : {}),
    })),
    headlineMetric: kind.headlineMetric ?? null,
    intervalMs: kind.intervalMs,
  }
}

function toMetricView(id: string, metric: Metric): MetricView {
  const { type, title } = metric
  if (metric.type === 'state') return { id, type, title, values: [...metric.values] }
  const { unit, percent, decimals, min, max } = metric
  return {
    id,
    type,
    title,
    unit,
    symbol: percent ? '%' : UNITS[unit].symbol,
    ...(percent && { percent }),
    decimals,
    min,
    max,
  }
}

/** The drawn basemap as GeoJSON, and a short word that changes with it. */
export function toSchematic({ basemap }: City): { version: string; json: string } | undefined {
  if (!basemap || !('schematic' in basemap)) return undefined
  const json = JSON.stringify({ type: 'FeatureCollection', features: basemap.schematic })
  return { json, version: createHash('sha256').update(json).digest('base64url').slice(0, 12) }
}
