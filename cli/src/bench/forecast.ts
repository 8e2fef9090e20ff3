import {
  AppError,
  backtestPlace,
  createCalendar,
  createLocalClock,
  FORECAST_HORIZONS_MS,
  formatDuration,
  reportingIntervalMs,
  toFreeSeries,
  type Figure,
  type FreePoint,
  type HorizonScore,
  type Kind,
  type Kinds,
  type NoForecastReason,
} from '@pulso/model'
import { openReplay, type RecordedSensor, type ReplaySource } from '@pulso/simulators'
import { print, toTable } from '../commands/shared.ts'
import { loadKinds } from '../config/load.ts'
import { percentile } from './table.ts'

export interface ForecastBenchOptions {
  timeZone: string
  only: string
  json?: true
}

/** A day is forecast from those before it; the first ones only teach. */
const TEACHING_DAYS = 3

export interface ForecastScore {
  horizonMs: number
  /** Places that were asked, and those that were shown at least one forecast. */
  places: number
  placesShown: number
  /** Share of these that did better than "as now" over the days they were forecast for. */
  placesBetter: number
  /** Error ÷ that of "as now" of the best tenth, the middle and the worst tenth of them. */
  ratios: { best: number; middle: number; worst: number }
  asked: number
  /** Share of what was asked that got a forecast. */
  shown: number
  /** Mean absolute errors in spaces. Of all that was asked: as now, and with the forecast where there is one. */
  askedNaiveError: number
  askedError: number
  /** Of what was shown alone. */
  naiveError: number
  error: number
  /** Share of the shown whose truth was in the band of eight in ten. */
  within: number
  withheld: Partial<Record<NoForecastReason, number>>
}

/** `pulso bench forecast`: how well arrival forecasts would have done over a recording. */
export async function benchForecast(path: string, options: ForecastBenchOptions): Promise<void> {
  const source = await openReplay({ path, only: options.only })
  const scores = await scoreForecasts({ source, kinds: await loadKinds(null), timeZone: options.timeZone })
  print(options.json, scores, () => toText(scores))
}

/**
 * Each recorded day after the first three, forecast by the code that answers people from the days before it.
 * @throws AppError `nothing-to-forecast` when no sensor of the recording counts free places
 */
export async function scoreForecasts({
  source,
  kinds,
  timeZone,
}: {
  source: ReplaySource
  kinds: Kinds
  timeZone: string
}): Promise<ForecastScore[]> {
  const clock = createLocalClock(timeZone)
  const days = createCalendar(timeZone).bucketsOf('1d', source.firstMs, source.lastMs)
  const midnightsMs = days.slice(TEACHING_DAYS).map(({ fromMs }) => fromMs)
  const places = await readPlaces(source, kinds)
  if (places.length === 0)
    throw new AppError('nothing-to-forecast', 'No sensor of this recording counts free places')
  const range = { fromMs: days[0]?.fromMs ?? source.firstMs, toMs: source.lastMs + 1 }
  const scores = places.map(({ points, total, holdMs }) =>
    backtestPlace({ series: toFreeSeries(points, { ...range, holdMs }), total, clock, midnightsMs }),
  )
  return FORECAST_HORIZONS_MS.map((horizonMs, index) =>
    sumUp(
      horizonMs,
      scores.flatMap((ofPlace) => ofPlace[index] ?? []).filter(({ asked }) => asked > 0),
    ),
  )
}

interface Place {
  total: number | null
  /** As long as people see it as fresh. */
  holdMs: number
  points: FreePoint[]
}

/** Values that the platform would have refused, below zero or above the capacity, are left out. */
async function readPlaces(source: ReplaySource, kinds: Kinds): Promise<Place[]> {
  const places = new Map<string, { place: Place; freeMetric: string }>()
  for (const sensor of source.sensors) {
    const kind = kinds.get(sensor.kind)
    const metrics = kind && toMetrics(kind)
    if (!metrics) continue
    const total = sensor.attributes[metrics.total]
    const place = {
      total: typeof total === 'number' ? total : null,
      holdMs: toHoldMs(kind, sensor),
      points: [],
    }
    places.set(sensor.id, { place, freeMetric: metrics.free })
  }
  for await (const { sensorId, timeMs, values } of source.rows()) {
    const { place, freeMetric } = places.get(sensorId) ?? {}
    const free = values[freeMetric ?? '']
    if (!place || typeof free !== 'number' || free < 0 || free > (place.total ?? Infinity)) continue
    place.points.push({ timeMs, free })
  }
  return [...places.values()].map(({ place }) => place)
}

/** Where each sensor counts its own: the metrics of its figures. */
function toMetrics({ availability, figures }: Kind): { free: string; total: string } | undefined {
  const metricOf = (wanted: string | undefined): string | undefined => {
    const figure = figures.find((one): one is Extract<Figure, { metric: string }> => one.id === wanted)
    return figure && 'metric' in figure ? figure.metric : undefined
  }
  const [free, total] = [metricOf(availability?.free), metricOf(availability?.total)]
  return free !== undefined && total !== undefined ? { free, total } : undefined
}

function toHoldMs(kind: Kind, { attributes }: RecordedSensor): number {
  return reportingIntervalMs({ kind, attributes }) * kind.staleAfterIntervals
}

function sumUp(horizonMs: number, scores: readonly HorizonScore[]): ForecastScore {
  const sum = (of: (score: HorizonScore) => number): number =>
    scores.reduce((total, score) => total + of(score), 0)
  const shownScores = scores.filter(({ shown }) => shown > 0)
  const withheld: ForecastScore['withheld'] = {}
  for (const score of scores) {
    for (const [reason, count] of Object.entries(score.withheld) as [NoForecastReason, number][])
      withheld[reason] = (withheld[reason] ?? 0) + count
  }
  const ratios = shownScores.map(({ error, naiveError }) => (naiveError === 0 ? 1 : error / naiveError))
  const [asked, shown] = [sum((score) => score.asked), sum((score) => score.shown)]
  const [naiveSum, errorSum] = [sum((score) => score.naiveError), sum((score) => score.error)]
  const askedNaiveSum = sum((score) => score.askedNaiveError)
  return {
    horizonMs,
    places: scores.length,
    placesShown: shownScores.length,
    placesBetter:
      shownScores.filter(({ error, naiveError }) => error < naiveError).length / shownScores.length,
    ratios: {
      best: percentile(ratios, 0.1),
      middle: percentile(ratios, 0.5),
      worst: percentile(ratios, 0.9),
    },
    asked,
    shown: shown / asked,
    askedNaiveError: askedNaiveSum / asked,
    askedError: (askedNaiveSum - naiveSum + errorSum) / asked,
    naiveError: naiveSum / shown,
    error: errorSum / shown,
    within: sum((score) => score.within) / shown,
    withheld,
  }
}

function toText(scores: readonly ForecastScore[]): string {
  const percent = (share: number): string => `${Math.round(share * 100)} %`
  const table = toTable(
    [
      'AHEAD',
      'AS NOW',
      'FORECAST',
      'RATIO',
      'IN BAND',
      'SHOWN',
      'PLACES',
      'BETTER',
      'THEIR RATIOS',
      'ALL, AS NOW',
      'ALL',
    ],
    scores.map((score) => [
      formatDuration(score.horizonMs),
      score.naiveError.toFixed(2),
      score.error.toFixed(2),
      (score.error / score.naiveError).toFixed(2),
      percent(score.within),
      percent(score.shown),
      `${score.placesShown} of ${score.places}`,
      percent(score.placesBetter),
      Object.values(score.ratios)
        .map((ratio) => ratio.toFixed(2))
        .join(' '),
      score.askedNaiveError.toFixed(2),
      score.askedError.toFixed(2),
    ]),
  )
  return `${table}

Mean absolute errors in spaces. AS NOW, FORECAST and IN BAND are over what would have been shown; ALL is over everything
that was asked, "as now" wherever no forecast is shown. BETTER: of the places shown,
those that did better than "as now"; THEIR RATIOS: of the best tenth, the middle and the worst tenth.`
}
