import { FORECAST_SLOT_MS, type FreeSeries } from './forecast-series.ts'
import { learnUsualWeek, type UsualWeek } from './forecast-usual.ts'
import type { LocalClock } from './local-clock.ts'
import { DAY_MS, MINUTE_MS, WEEK_MS } from './time.ts'

/** How far ahead is looked, and measured. */
export const FORECAST_HORIZONS_MS: readonly number[] = [15, 30, 60, 120].map((minutes) => minutes * MINUTE_MS)

/** Quarters of an hour that a horizon must have been tried on: a day and a half. */
const MIN_TRIALS = 150
/** It must have been better than "as now" by this share, in all and on most days, before anybody sees it. */
const MIN_GAIN = 0.05
const MIN_BETTER_DAYS = 0.6
/** Of ten trials eight fell between these. */
const [LOW_SHARE, HIGH_SHARE] = [0.1, 0.9]
/** Errors differ by the time of the day: a night's say nothing about noon. */
const DAY_PARTS = 4
const MIN_PART_TRIALS = 30

/** An error band: what was measured minus what was forecast. */
export interface Band {
  low: number
  high: number
}

/** What was learnt for one horizon. */
export interface HorizonFit {
  horizonMs: number
  /** The share of the usual change until then that really comes. */
  follow: number
  /** The share of what differs from the usual now that is gone by then. */
  settle: number
  /** Mean absolute errors over the trials: of "as now", and of the forecast. */
  naiveError: number
  error: number
  trials: number
  /** For each quarter of the day. */
  bands: readonly Band[]
  /** Whether it was better than "as now" by enough to be shown. */
  isBetter: boolean
}

export interface LearntPlace {
  usual: UsualWeek
  clock: LocalClock
  /** Between the first and the last value. */
  weeks: number
  /** In the order of `FORECAST_HORIZONS_MS`; those that could not be tried often enough are missing. */
  fits: readonly HorizonFit[]
}

/** One try: from now to a horizon later, with the day itself left out of what was usual. */
interface Trial {
  day: number
  part: number
  /** The usual change until then. */
  change: number
  /** How far now is below the usual. */
  gap: number
  /** What really came, minus what there was. */
  came: number
}

/**
 * Learns a place from its history: its usual week, and for each horizon how much to believe it. Every quarter of an hour is
 * tried as if its day had not been seen, so the errors told are those of days that nobody knows yet.
 */
export function learnPlace(series: FreeSeries, clock: LocalClock): LearntPlace {
  const { usual, without: usualWithout } = learnUsualWeek(series, clock)
  const fits = FORECAST_HORIZONS_MS.map((horizonMs) => {
    const trials = listTrials({ series, usualWithout, clock, horizonMs })
    return trials.length < MIN_TRIALS ? undefined : fit(horizonMs, trials)
  })
  return { usual, clock, weeks: spanOf(series) / WEEK_MS, fits: fits.filter((known) => known !== undefined) }
}

/** Which quarter of the day it is, for the bands. */
export function dayPartOf(clock: LocalClock, timeMs: number): number {
  return Math.floor((clock(timeMs).minute / (24 * 60)) * DAY_PARTS)
}

function listTrials({
  series: { fromMs, free },
  usualWithout,
  clock,
  horizonMs,
}: {
  series: FreeSeries
  usualWithout: Float64Array
  clock: LocalClock
  horizonMs: number
}): Trial[] {
  const ahead = Math.round(horizonMs / FORECAST_SLOT_MS)
  const trials: Trial[] = []
  for (let index = 0; index + ahead < free.length; index++) {
    const [now = NaN, then = NaN] = [free[index], free[index + ahead]]
    const [usualNow = NaN, usualThen = NaN] = [usualWithout[index], usualWithout[index + ahead]]
    const trial = { change: usualThen - usualNow, gap: usualNow - now, came: then - now }
    if (Number.isNaN(trial.change + trial.gap + trial.came)) continue
    const thenMs = fromMs + (index + ahead) * FORECAST_SLOT_MS
    trials.push({ ...trial, day: Math.floor(thenMs / DAY_MS), part: dayPartOf(clock, thenMs) })
  }
  return trials
}

function fit(horizonMs: number, trials: readonly Trial[]): HorizonFit {
  const { follow, settle } = toShares(trials)
  const errors = trials.map(({ came, change, gap }) => came - follow * change - settle * gap)
  let [naiveSum, errorSum] = [0, 0]
  const gainOfDay = new Map<number, number>()
  trials.forEach(({ came, day }, index) => {
    const error = Math.abs(errors[index] ?? 0)
    naiveSum += Math.abs(came)
    errorSum += error
    gainOfDay.set(day, (gainOfDay.get(day) ?? 0) + Math.abs(came) - error)
  })
  const days = [...gainOfDay.values()]
  const betterDays = days.filter((gain) => gain > 0).length / days.length
  return {
    horizonMs,
    follow,
    settle,
    naiveError: naiveSum / trials.length,
    error: errorSum / trials.length,
    trials: trials.length,
    bands: toBands(trials, errors),
    isBetter: errorSum < naiveSum * (1 - MIN_GAIN) && betterDays >= MIN_BETTER_DAYS,
  }
}

/** Least squares for `came = follow · change + settle · gap`, both kept where they can be explained. */
function toShares(trials: readonly Trial[]): { follow: number; settle: number } {
  let [changeChange, changeGap, gapGap, cameChange, cameGap] = [0, 0, 0, 0, 0]
  for (const { change, gap, came } of trials) {
    changeChange += change * change
    changeGap += change * gap
    gapGap += gap * gap
    cameChange += came * change
    cameGap += came * gap
  }
  const determinant = changeChange * gapGap - changeGap * changeGap
  // A place that never differs from the usual, or usually never changes, leaves one of them to be told, or none.
  if (determinant <= 1e-9 * changeChange * gapGap) {
    if (changeChange > 0) return { follow: clamp(cameChange / changeChange), settle: 0 }
    return { follow: 0, settle: gapGap > 0 ? clamp(cameGap / gapGap) : 0 }
  }
  return {
    follow: clamp((cameChange * gapGap - cameGap * changeGap) / determinant),
    settle: clamp((changeChange * cameGap - changeGap * cameChange) / determinant),
  }
}

function toBands(trials: readonly Trial[], errors: readonly number[]): Band[] {
  const all = toBand(errors)
  return Array.from({ length: DAY_PARTS }, (_, part) => {
    const own = errors.filter((__, index) => trials[index]?.part === part)
    return own.length < MIN_PART_TRIALS ? all : toBand(own)
  })
}

function toBand(errors: readonly number[]): Band {
  const sorted = Float64Array.from(errors).sort()
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0
  return { low: at(LOW_SHARE), high: at(HIGH_SHARE) }
}

function spanOf({ free }: FreeSeries): number {
  const first = free.findIndex((value) => !Number.isNaN(value))
  const last = free.findLastIndex((value) => !Number.isNaN(value))
  return first === -1 ? 0 : (last - first + 1) * FORECAST_SLOT_MS
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share))
}
