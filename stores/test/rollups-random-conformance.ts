import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createCalendar, HOUR_MS, MINUTE_MS, type Kinds, type Reading, type Resolution } from '@pulso/model'
import type { AggregateQuery, AggregateRow, Readings, Rollups } from '@pulso/stores'
import { insert } from './readings-conformance.ts'
import { createBruteForce } from './support/brute-force.ts'
import { createRandom, createSamples, PLACES, shuffled } from './support/rollup-samples.ts'

const METRICS = ['level', 'lid', 'lock', 'emptied', 'batteryLevel', 'rssi'] as const
const calendar = createCalendar('Europe/Madrid')
const T = Date.parse('2026-05-04T10:00:00Z')
const HOURS = calendar.bucketsOf('1h', T, T + 2 * HOUR_MS)
const LATER = T + 10 * HOUR_MS

/** Random readings, and every answer compared with one that was come to in another way. */
export function testAgainstBruteForce(
  open: (context: TestContext) => Promise<{ readings: Readings; rollups: Rollups; kinds: Kinds }>,
): void {
  for (const [change, day] of [
    ['spring', '2026-03-29'],
    ['autumn', '2026-10-25'],
  ] as const) {
    test(`are what brute force comes to, over the change of the clocks in ${change}`, async (context) => {
      const { readings, rollups, kinds } = await open(context)
      const random = createRandom(day.length + change.length)
      const noonMs = Date.parse(`${day}T12:00:00Z`)
      const days = calendar.bucketsOf('1d', noonMs, noonMs + 1)
      const [fromMs, toMs] = [days[0]?.fromMs ?? 0, days[0]?.toMs ?? 0]
      const samples = createSamples(random, fromMs - 4 * HOUR_MS, toMs + HOUR_MS)
      await write(readings, samples, random)
      const bruteForce = createBruteForce({ kinds, places: PLACES, readings: samples })
      const buckets = {
        '5m': calendar.bucketsOf('5m', fromMs + 2 * HOUR_MS, fromMs + 6 * HOUR_MS),
        '1h': calendar.bucketsOf('1h', fromMs, toMs),
        '1d': days,
      }
      // Still in the day's last hour but one.
      const nowMs = toMs - HOUR_MS - 17 * MINUTE_MS
      await rollups.putPlaces(PLACES)
      for (const resolution of ['5m', '1h', '1d'] as const) {
        await rollups.rollUp({ kind: 'bin', resolution, buckets: buckets[resolution], nowMs })
        for (const query of queries(resolution)) {
          const asked = { ...query, buckets: buckets[resolution] }
          const expected = bruteForce(asked, nowMs)
          const isStored = resolution !== '5m' || query.scope !== 'sensor'
          same(await rollups.aggregates(asked), isStored ? expected : [], name(query, 'stored'))
          if (query.metric !== 'level' || query.id !== 's1')
            same(await rollups.measure(asked, nowMs), expected, name(query, 'measured'))
        }
      }
    })
  }

  test('are what brute force comes to again after late and corrected readings, and stay so', async (context) => {
    const { readings, rollups, kinds } = await open(context)
    const random = createRandom(7)
    const samples = createSamples(random, T - 4 * HOUR_MS, T + 2 * HOUR_MS)
    const [late, early] = [samples.slice(0, 60), samples.slice(60)]
    await rollups.putPlaces(PLACES)
    await write(readings, early, random)
    const plan = { kind: 'bin', resolution: '1h', buckets: HOURS, nowMs: LATER } as const
    await rollups.rollUp(plan)
    await readings.write({ position: 1_000, inserts: new Map([['bin', late]]), replacements: new Map() })
    const corrected = early
      .slice(0, 20)
      .map((each) => ({ ...each, values: { ...each.values, level: 3, lid: 'open' } }))
    await readings.write({
      position: 1_001,
      inserts: new Map(),
      replacements: new Map([['bin', corrected]]),
    })
    const all = [...late, ...corrected, ...early.slice(20)]
    const bruteForce = createBruteForce({ kinds, places: PLACES, readings: all })
    for (let time = 0; time < 2; time++) {
      await rollups.rollUp(plan)
      for (const query of queries('1h')) {
        const asked = { ...query, buckets: HOURS }
        same(await rollups.aggregates(asked), bruteForce(asked, LATER), name(query, `roll ${time}`))
      }
    }
  })
}

/** In batches, out of order; some are wrong at first and corrected by a later one. */
async function write(readings: Readings, samples: readonly Reading[], random: () => number): Promise<void> {
  const wrong = samples.filter(() => random() < 0.1)
  // A replacement has every metric that the stored reading has: ingest merges them.
  const toWrong = (each: Reading): Reading => ({
    ...each,
    values: 'level' in each.values ? { level: 1 } : {},
  })
  const first = samples.map((each) => (wrong.includes(each) ? toWrong(each) : each))
  const list = shuffled(first, random)
  const batches = [0, 1, 2].map((n) => list.filter((_, index) => index % 3 === n))
  for (const [n, batch] of batches.entries()) await insert(readings, n + 1, batch)
  await readings.write({ position: 9, inserts: new Map(), replacements: new Map([['bin', wrong]]) })
}

type Question = Omit<AggregateQuery, 'buckets'>

/** Of each metric for the city, each zone and some sensors. */
function queries(resolution: Resolution): Question[] {
  const zones = new Set(PLACES.flatMap(({ zone }) => zone ?? []))
  const scopes = [
    { scope: 'city', id: '' } as const,
    ...[...zones].map((id) => ({ scope: 'zone', id }) as const),
    ...['s1', 's2', 's8', 'unplaced'].map((id) => ({ scope: 'sensor', id }) as const),
  ]
  return scopes.flatMap((scope) => METRICS.map((metric) => ({ ...scope, kind: 'bin', metric, resolution })))
}

function name({ resolution, scope, id, metric }: Question, how: string): string {
  return `${metric} of ${scope} ${id} by ${resolution}, ${how}`
}

/** Sums of fractions depend on their order; everything else is the same to the last bit. */
function same(actual: readonly AggregateRow[], expected: readonly AggregateRow[], what: string): void {
  const rounded = (rows: readonly AggregateRow[], others: readonly AggregateRow[]): unknown =>
    rows.map((row, n) => ({
      ...row,
      parts: Object.fromEntries(
        Object.entries(row.parts).map(([part, value]) => {
          const other = others[n]?.parts[part]
          const isClose =
            /_(sum|increase)$/.test(part) &&
            typeof value === 'number' &&
            typeof other === 'number' &&
            Math.abs(value - other) <= 1e-9 * Math.abs(other)
          return [part, isClose ? other : value]
        }),
      ),
    }))
  assert.deepEqual(rounded(actual, expected), expected, what)
}
