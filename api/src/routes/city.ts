import { CityView, UNITS, type City, type Kind, type Kinds, type Metric, type MetricView } from '@pulso/model'
import type { ApiContext } from '../context.ts'
import { isPublic } from '../current/features.ts'
import type { App } from '../http/app.ts'
import { problems } from './common.ts'

export function cityRoutes(app: App, { options }: ApiContext): void {
  const view = toCityView(options.city, options.kinds, options.clockLimits)
  app.get(
    '/api/v1/city',
    {
      config: { isPublic: true },
      schema: {
        tags: ['city'],
        summary: 'The city: its name, bounds, time zone, kinds of sensors and zones',
        description:
          'Everything a map needs to know before its first sensor. It changes only when the city’s file does.',
        response: { 200: CityView, ...problems(429) },
      },
    },
    () => view,
  )
}

export function toCityView(city: City, kinds: Kinds, clock: CityView['clock']): CityView {
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
  const { unit, decimals, min, max } = metric
  return { id, type, title, unit, symbol: UNITS[unit].symbol, decimals, min, max }
}
