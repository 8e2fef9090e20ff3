import { dayPartOf, type HorizonFit, type LearntPlace } from './forecast-learn.ts'

/** Why no forecast is given. Stable: programs may look for them. */
export const NO_FORECAST_REASONS = [
  /** What is free now is not known, or not fresh. */
  'unknown-now',
  /** Its history was not looked at yet, for the API has just been started. */
  'not-learnt-yet',
  /** Too few days like this one are known. */
  'too-little-history',
  /** On the days known it was no better than "as now". */
  'no-better-than-now',
  /** Asked for some of a zone's spaces; what is usual is known of all of them together. */
  'filtered',
] as const
export type NoForecastReason = (typeof NO_FORECAST_REASONS)[number]

export interface Forecast {
  atMs: number
  /** Whole spaces, from 0 to the place's total. */
  free: number
  /** Of ten forecasts, eight were to be found between these. */
  low: number
  high: number
  basis: {
    /** Between the first and the last value that it is learnt from. */
    weeks: number
    /** Days that the usual of this moment is the mean of. */
    n: number
    /** Mean absolute errors in spaces, on known days that were left out one by one: this one's, and that of "as now". */
    error: number
    errorAsNow: number
  }
}

export type ForecastAnswer = { forecast: Forecast } | { forecast: null; reason: NoForecastReason }

export interface ForecastQuestion {
  nowMs: number
  /** What is free now. */
  free: number
  /** `null` where nobody knows how many there are. */
  total: number | null
  atMs: number
}

/**
 * What will be free: what is free now, and a share of the usual change until then, and of the way back to the usual. Where
 * both shares are 0, it is "as now"; which they are was measured on the place's own history.
 */
export function forecastFree(
  place: LearntPlace,
  { nowMs, free, total, atMs }: ForecastQuestion,
): ForecastAnswer {
  const usualNow = place.usual.at(nowMs)
  const usualThen = place.usual.at(atMs)
  const shares = toShares(place.fits, atMs - nowMs)
  if (!usualNow || !usualThen || !shares) return { forecast: null, reason: 'too-little-history' }
  const { follow, settle, fit } = shares
  if (!fit.isBetter) return { forecast: null, reason: 'no-better-than-now' }

  const expected = free + follow * (usualThen.free - usualNow.free) + settle * (usualNow.free - free)
  const band = fit.bands[dayPartOf(place.clock, atMs)] ?? { low: 0, high: 0 }
  const toSpaces = (spaces: number): number => Math.round(Math.min(total ?? Infinity, Math.max(0, spaces)))
  const middle = toSpaces(expected)
  return {
    forecast: {
      atMs,
      free: middle,
      // A place that was always forecast too high has a band beside the forecast; it must hold it all the same.
      low: Math.min(middle, toSpaces(expected + band.low)),
      high: Math.max(middle, toSpaces(expected + band.high)),
      basis: {
        weeks: round(place.weeks),
        n: usualThen.days,
        error: round(fit.error),
        errorAsNow: round(fit.naiveError),
      },
    },
  }
}

/**
 * Between two horizons in proportion, and from nothing now to the first; the errors are those of the longer one.
 * @returns `undefined` behind the last horizon
 */
function toShares(
  fits: readonly HorizonFit[],
  aheadMs: number,
): { follow: number; settle: number; fit: HorizonFit } | undefined {
  const index = fits.findIndex(({ horizonMs }) => horizonMs >= aheadMs)
  const fit = fits[index]
  if (!fit || aheadMs < 0) return undefined
  const before = fits[index - 1] ?? { horizonMs: 0, follow: fit.follow, settle: 0 }
  const share = (aheadMs - before.horizonMs) / (fit.horizonMs - before.horizonMs)
  const between = (a: number, b: number): number => a + (b - a) * share
  return { follow: between(before.follow, fit.follow), settle: between(before.settle, fit.settle), fit }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
