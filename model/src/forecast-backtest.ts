import { forecastFree, type NoForecastReason } from './forecast.ts'
import { FORECAST_HORIZONS_MS, learnPlace } from './forecast-learn.ts'
import { cutSeries, FORECAST_SLOT_MS, type FreeSeries } from './forecast-series.ts'
import type { LocalClock } from './local-clock.ts'
import { DAY_MS } from './time.ts'

/** One horizon of one place: what would have been shown, and how it went. */
export interface HorizonScore {
  horizonMs: number
  /** Quarters of an hour where both now and then are known. */
  asked: number
  /** Sum of the absolute errors of "as now" over all that were asked. */
  askedNaiveError: number
  /** Of those asked, the ones with a forecast; both sums are over these alone. */
  shown: number
  naiveError: number
  error: number
  /** How many of the shown were within their band. */
  within: number
  withheld: Partial<Record<NoForecastReason, number>>
}

export interface BacktestOptions {
  series: FreeSeries
  total: number | null
  clock: LocalClock
  /** Each local midnight from which on a day is forecast, having learnt from all before it. */
  midnightsMs: readonly number[]
}

/**
 * Replays the days as if each were today: learns from the days before it, asks at every quarter of an hour, and compares with
 * what came. It asks the same function that answers people.
 */
export function backtestPlace({ series, total, clock, midnightsMs }: BacktestOptions): HorizonScore[] {
  const scores = FORECAST_HORIZONS_MS.map(emptyScore)
  const valueAt = (timeMs: number): number =>
    series.free[Math.round((timeMs - series.fromMs) / FORECAST_SLOT_MS)] ?? NaN
  for (const midnightMs of midnightsMs) {
    const place = learnPlace(cutSeries(series, midnightMs), clock)
    const firstMs = Math.ceil(midnightMs / FORECAST_SLOT_MS) * FORECAST_SLOT_MS
    for (let nowMs = firstMs; nowMs < midnightMs + DAY_MS; nowMs += FORECAST_SLOT_MS) {
      const now = valueAt(nowMs)
      for (const score of scores) {
        const atMs = nowMs + score.horizonMs
        const then = valueAt(atMs)
        if (Number.isNaN(now + then)) continue
        const answer = forecastFree(place, { nowMs, free: now, total, atMs })
        const naiveError = Math.abs(then - now)
        score.asked += 1
        score.askedNaiveError += naiveError
        if (!answer.forecast) {
          score.withheld[answer.reason] = (score.withheld[answer.reason] ?? 0) + 1
          continue
        }
        const { free, low, high } = answer.forecast
        score.shown += 1
        score.naiveError += naiveError
        score.error += Math.abs(then - free)
        if (then >= low && then <= high) score.within += 1
      }
    }
  }
  return scores
}

function emptyScore(horizonMs: number): HorizonScore {
  return {
    horizonMs,
    asked: 0,
    askedNaiveError: 0,
    shown: 0,
    naiveError: 0,
    error: 0,
    within: 0,
    withheld: {},
  }
}
