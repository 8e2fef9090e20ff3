import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  backtestPlace,
  createLocalClock,
  cutSeries,
  DAY_MS,
  FORECAST_HORIZONS_MS,
  FORECAST_SLOT_MS,
  forecastFree,
  HOUR_MS,
  learnPlace,
  MINUTE_MS,
  toFreeSeries,
  type FreeSeries,
} from '../src/index.ts'

const clock = createLocalClock('Europe/Madrid')
const TOTAL = 300
/** A Monday, midnight in Madrid. */
const MONDAY_MS = Date.parse('2026-03-02T00:00:00+01:00')

/** Empty at night and full by day on working days, half full at weekends; each day a little better or worse. */
function toWeeks(weeks: number, { fromMs = MONDAY_MS, noise = 20 } = {}): FreeSeries {
  const count = (weeks * 7 * DAY_MS) / FORECAST_SLOT_MS
  const free = Float64Array.from({ length: count }, (_, slot) =>
    usualAt(fromMs + slot * FORECAST_SLOT_MS, noise),
  )
  return { fromMs, free }
}

function usualAt(timeMs: number, noise = 0): number {
  const { weekday, minute } = clock(timeMs)
  const taken = weekday === 0 || weekday === 6 ? 0.5 : (1 - Math.cos((minute / 1440) * 2 * Math.PI)) / 2
  const day = Math.floor(timeMs / DAY_MS)
  return Math.round(clip(TOTAL * (1 - 0.8 * taken) + noise * Math.sin(day * 2.4)))
}

function clip(spaces: number): number {
  return Math.min(TOTAL, Math.max(0, spaces))
}

test('a place with a daily rhythm is forecast better than as it is now', () => {
  const series = toWeeks(3)
  const midnightsMs = [14, 15, 16, 17, 18].map((day) => MONDAY_MS + day * DAY_MS)
  const scores = backtestPlace({ series, total: TOTAL, clock, midnightsMs })
  assert.deepEqual(
    scores.map(({ horizonMs }) => horizonMs),
    FORECAST_HORIZONS_MS,
  )
  for (const { horizonMs, shown, asked, error, naiveError } of scores) {
    assert.ok(shown > 0.9 * asked, `${horizonMs}: ${shown} of ${asked}`)
    assert.ok(error < naiveError / 2, `${horizonMs}: ${error / shown} against ${naiveError / shown}`)
  }
})

test('a forecast follows the usual change and keeps most of what is different today', () => {
  const place = learnPlace(toWeeks(4), clock)
  const nowMs = MONDAY_MS + 28 * DAY_MS + 9 * HOUR_MS
  const atMs = nowMs + HOUR_MS
  const { forecast } = forecastFree(place, { nowMs, free: usualAt(nowMs) + 15, total: TOTAL, atMs })
  assert.ok(forecast)
  assert.ok(Math.abs(forecast.free - (usualAt(atMs) + 15)) <= 6, `${forecast.free}`)
  assert.ok(forecast.low <= forecast.free && forecast.free <= forecast.high)
  assert.equal(forecast.basis.weeks, 4)
  assert.equal(forecast.basis.n, 20)
  assert.ok(forecast.basis.error < forecast.basis.errorAsNow)
})

test('a place that is the same each day is followed to the space', () => {
  const place = learnPlace(toWeeks(4, { noise: 0 }), clock)
  const nowMs = MONDAY_MS + 28 * DAY_MS + 9 * HOUR_MS
  const atMs = nowMs + HOUR_MS
  const { forecast } = forecastFree(place, { nowMs, free: usualAt(nowMs), total: TOTAL, atMs })
  assert.equal(forecast?.free, usualAt(atMs))
  assert.ok(forecast.basis.error < 0.5)
})

test('nothing is forecast from less than three days, nor behind the last horizon', () => {
  const nowMs = MONDAY_MS + 2 * DAY_MS + 9 * HOUR_MS
  const question = { nowMs, free: 100, total: TOTAL, atMs: nowMs + HOUR_MS }
  const young = learnPlace(cutSeries(toWeeks(1), nowMs), clock)
  assert.deepEqual(forecastFree(young, question), { forecast: null, reason: 'too-little-history' })

  const week = learnPlace(toWeeks(1), clock)
  const saturday = { ...question, nowMs: MONDAY_MS + 12.4 * DAY_MS, atMs: MONDAY_MS + 12.45 * DAY_MS }
  assert.deepEqual(forecastFree(week, saturday), { forecast: null, reason: 'too-little-history' })

  const month = learnPlace(toWeeks(4), clock)
  const late = { ...question, atMs: nowMs + 3 * HOUR_MS }
  assert.deepEqual(forecastFree(month, late), { forecast: null, reason: 'too-little-history' })
})

test('where as-now is as good, no forecast is shown', () => {
  const free = new Float64Array((28 * DAY_MS) / FORECAST_SLOT_MS).fill(42)
  const constant = learnPlace({ fromMs: MONDAY_MS, free }, clock)
  // A walk that nobody can know: each step up or down as a hash of its place decides.
  let spaces = 150
  const walk = Float64Array.from(free, (_, slot) => {
    spaces = clip(spaces + (((slot * 2_654_435_761) >>> 13) % 2 === 0 ? 5 : -5))
    return spaces
  })
  const unknowable = learnPlace({ fromMs: MONDAY_MS, free: walk }, clock)
  const nowMs = MONDAY_MS + 28 * DAY_MS + 9 * HOUR_MS
  for (const place of [constant, unknowable]) {
    const question = { nowMs, free: 42, total: TOTAL, atMs: nowMs + 15 * MINUTE_MS }
    assert.deepEqual(forecastFree(place, question), { forecast: null, reason: 'no-better-than-now' })
  }
})

test('a forecast is never below nothing nor above the total, whatever is free now', () => {
  const place = learnPlace(toWeeks(3), clock)
  fc.assert(
    fc.property(
      fc.record({
        free: fc.integer({ min: 0, max: TOTAL }),
        minute: fc.integer({ min: 0, max: 7 * 24 * 60 - 1 }),
        ahead: fc.integer({ min: 0, max: 120 }),
        total: fc.option(fc.integer({ min: 0, max: TOTAL })),
      }),
      ({ free, minute, ahead, total }) => {
        const nowMs = MONDAY_MS + 21 * DAY_MS + minute * MINUTE_MS
        const { forecast } = forecastFree(place, { nowMs, free, total, atMs: nowMs + ahead * MINUTE_MS })
        if (!forecast) return
        const { low, high } = forecast
        assert.ok(0 <= low && low <= forecast.free && forecast.free <= high)
        assert.ok(high <= (total ?? Infinity))
        for (const spaces of [low, forecast.free, high]) assert.ok(Number.isInteger(spaces))
      },
    ),
  )
})

test('the usual goes by the clock on the wall over both changes of the year', () => {
  for (const [change, changed] of [
    ['2026-03-29', '2026-03-30T09:00:00+02:00'],
    ['2026-10-25', '2026-10-26T09:00:00+01:00'],
  ] as const) {
    const fromMs = Date.parse(`${change}T00:00:00Z`) - 21 * DAY_MS
    const place = learnPlace(toWeeks(3, { fromMs, noise: 0 }), clock)
    const mondayMs = Date.parse(changed)
    assert.equal(place.usual.at(mondayMs)?.free, usualAt(mondayMs), change)
    // An hour off in UTC would be another share of the morning's rush.
    assert.notEqual(usualAt(mondayMs), usualAt(mondayMs + HOUR_MS))
    // Each quarter of the Sunday itself, with 23 or 25 hours, is forecast.
    const sundayMs = Date.parse(`${change}T00:00:00Z`)
    for (let timeMs = sundayMs; timeMs < sundayMs + DAY_MS; timeMs += FORECAST_SLOT_MS)
      assert.equal(place.usual.at(timeMs)?.free, usualAt(timeMs))
  }
})

test('a value is held for as long as it is fresh and not filled in behind that', () => {
  const fromMs = MONDAY_MS + 7 * MINUTE_MS
  const points = [
    { timeMs: fromMs, free: 10 },
    { timeMs: fromMs + 40 * MINUTE_MS, free: 12 },
  ]
  const options = { fromMs, toMs: MONDAY_MS + 2.5 * HOUR_MS, holdMs: HOUR_MS }
  const series = toFreeSeries(points, options)
  assert.equal(series.fromMs, MONDAY_MS + 15 * MINUTE_MS)
  assert.deepEqual([...series.free], [10, 10, 10, 12, 12, 12, 12, NaN, NaN])
  assert.equal(cutSeries(series, MONDAY_MS + HOUR_MS).free.length, 3)
})

test('the wall clock knows its weekday, its half-hour zones and both changes', () => {
  assert.deepEqual(clock(Date.parse('2026-05-31T10:30:00Z')), { weekday: 0, minute: 750 })
  assert.deepEqual(clock(Date.parse('2026-03-29T00:59:00Z')), { weekday: 0, minute: 119 })
  assert.deepEqual(clock(Date.parse('2026-03-29T01:00:00Z')), { weekday: 0, minute: 180 })
  assert.deepEqual(clock(Date.parse('2026-10-25T01:00:00Z')), { weekday: 0, minute: 120 })
  const kolkata = createLocalClock('Asia/Kolkata')
  assert.deepEqual(kolkata(Date.parse('2026-01-01T18:30:00Z')), { weekday: 5, minute: 0 })
  const losAngeles = createLocalClock('America/Los_Angeles')
  assert.deepEqual(losAngeles(Date.parse('1969-12-31T23:00:00Z')), { weekday: 3, minute: 900 })
})
