import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS, toKinds } from '@pulso/model'
import carpark from '@pulso/model/kinds/carpark'
import lighting from '@pulso/model/kinds/lighting'
import { openReplay, type RecordedRow, type ReplaySource } from '@pulso/simulators'
import { scoreForecasts } from '../src/bench/forecast.ts'

const WEEK = join(import.meta.dirname, '../../../shared/data/parking/dresden-and-others-2024-06')
const kinds = toKinds([carpark, lighting])
const MONDAY_MS = Date.parse('2024-06-10T00:00:00+02:00')
const TOTAL = 200

/** Recorded sensors without a file: a week of readings every quarter of an hour. */
function toSource(
  freeOf: Readonly<Record<string, (timeMs: number) => number>>,
  kind = carpark.id,
): ReplaySource {
  const rows: RecordedRow[] = []
  for (let timeMs = MONDAY_MS; timeMs < MONDAY_MS + 7 * DAY_MS; timeMs += 15 * MINUTE_MS) {
    for (const [sensorId, free] of Object.entries(freeOf))
      rows.push({ timeMs, sensorId, values: { availableSpotNumber: free(timeMs) } })
  }
  return {
    format: 'parking-week',
    sensors: Object.keys(freeOf).map((id) => ({
      id,
      kind,
      name: null,
      position: null,
      attributes: { totalSpotNumber: TOTAL },
    })),
    firstMs: MONDAY_MS,
    lastMs: MONDAY_MS + 7 * DAY_MS - 15 * MINUTE_MS,
    rowCount: rows.length,
    malformed: { count: 0, examples: [] },
    async *rows() {
      yield* rows
    },
  }
}

const daily = (timeMs: number): number =>
  Math.round(100 + 80 * Math.cos(((timeMs - MONDAY_MS) / DAY_MS) * 2 * Math.PI))

test('a recorded week is forecast day by day from the days before; weekends teach too late', async () => {
  const source = toSource({ rhythm: daily, still: () => 42 })
  const scores = await scoreForecasts({ source, kinds, timeZone: 'Europe/Berlin' })
  assert.deepEqual(
    scores.map(({ horizonMs }) => horizonMs / MINUTE_MS),
    [15, 30, 60, 120],
  )
  const hour = scores.find(({ horizonMs }) => horizonMs === HOUR_MS)
  assert.ok(hour)
  // Thursday and Friday of one place; on Thursday some quarters have no day before them to have been tried on.
  assert.deepEqual([hour.places, hour.placesShown, hour.placesBetter], [2, 1, 1])
  assert.ok(hour.error < 1 && hour.naiveError > 10)
  const { 'no-better-than-now': still = 0, 'too-little-history': weekend = 0 } = hour.withheld
  assert.ok(still > 150 && weekend > 2 * 2 * 90)
})

test('what the platform would have refused is left out of the backtest', async () => {
  const broken = (timeMs: number): number =>
    timeMs % HOUR_MS === 0 ? -5 : timeMs % HOUR_MS === 15 * MINUTE_MS ? TOTAL + 3_000 : daily(timeMs)
  const source = toSource({ broken })
  const [score] = await scoreForecasts({ source, kinds, timeZone: 'Europe/Berlin' })
  assert.ok(score && score.error < 10 && score.naiveError < 20)
})

test('a recording of sensors that count no places is refused', async () => {
  const source = toSource({ lamp: () => 1 }, lighting.id)
  await assert.rejects(scoreForecasts({ source, kinds, timeZone: 'Europe/Berlin' }), {
    code: 'nothing-to-forecast',
  })
})

test(
  'on the German week forecasts beat “as now” at every horizon wherever they would be shown',
  { skip: existsSync(WEEK) ? false : 'the recorded data is not on this machine' },
  async () => {
    const source = await openReplay({ path: WEEK, only: 'braunschweig' })
    const scores = await scoreForecasts({ source, kinds, timeZone: 'Europe/Berlin' })
    for (const { horizonMs, shown, error, naiveError, placesBetter, placesShown, within } of scores) {
      const about = `${horizonMs / MINUTE_MS} min: ${error} against ${naiveError}`
      assert.ok(shown > 0.1 && placesShown >= 5, about)
      assert.ok(error < 0.9 * naiveError, about)
      assert.ok(placesBetter >= 0.7, `${about}, ${placesBetter} of the places better`)
      assert.ok(within > 0.6 && within < 0.95, `${about}, ${within} in the band`)
    }
  },
)
