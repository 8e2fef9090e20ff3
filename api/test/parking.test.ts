import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { DAY_MS, HOUR_MS, MINUTE_MS, type NearestView, type Sensor } from '@pulso/model'
import type { AggregatedBucket, AggregatesQueries } from '@pulso/stores'
import { createTestApi, NOON_MS, OUTSIDE, type TestApi } from './helper.ts'
import { bay, bayIs, carPark, carParkHas } from './places-support.ts'

const HERE = 'lat=43.45&lon=-3.85'

const QUICK = {
  liveTickMs: 5,
  placesSampleMs: 5,
  forecastPace: { startMs: 1, pieceMs: 0, placeMs: 0, roundMs: 5 },
}

async function ask({ get }: TestApi, query = HERE): Promise<NearestView> {
  const { status, body, text } = await get(`/api/v1/parking/nearest?${query}`)
  assert.equal(status, 200, text)
  return body as NearestView
}

/** Changes show with the next tick. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    assert.ok(tries < 500, 'it did not come about')
    await delay(5)
  }
}

function open(
  t: TestContext,
  sensors: readonly Sensor[],
  options: { aggregates?: AggregatesQueries } = {},
): Promise<TestApi> {
  return createTestApi(t, { sensors, limits: QUICK, ...options })
}

test('gives free places by distance, with the walk there and how old they are', async (t) => {
  const testApi = await open(t, [bay('full', 50), bay('free', 300), carPark('garage', 500)])
  const states = [bayIs('full', 'occupied'), bayIs('free', 'free'), carParkHas('garage', 12)]
  testApi.api.applyStates(states.map((state) => ({ ...state, timeMs: NOON_MS - 40_000 })))
  await until(async () => (await ask(testApi)).places.length === 2)
  const { places, note, walking, at } = await ask(testApi)
  assert.deepEqual([note, at], [null, null])
  const [west, garage] = places
  assert.deepEqual(
    [west?.zone, west?.sensor, west?.name, west?.measuredTo, west?.distanceM, west?.free, west?.total],
    ['west', null, 'West', 'nearest-free', 300, 1, 2],
  )
  assert.deepEqual(
    [garage?.zone, garage?.sensor, garage?.name, garage?.measuredTo, garage?.distanceM, garage?.free],
    ['west', 'garage', 'Garage garage', 'place', 500, 12],
  )
  assert.equal(west?.walkS, Math.round((300 * walking.detourFactor) / walking.metresPerSecond))
  assert.deepEqual([west.freshness, west.ageS, west.trend], ['fresh', 40, null])
  assert.equal('forecast' in west, false)
})

test('asks for kinds, for a number of places, for some sensors alone, and for full ones', async (t) => {
  const sensors = [
    bay('b', 50),
    bay('wide', 90, { accessible: true }),
    carPark('g', 100),
    carPark('full', 20),
  ]
  const testApi = await open(t, sensors)
  testApi.api.applyStates([
    bayIs('b', 'free'),
    bayIs('wide', 'free'),
    carParkHas('g', 3),
    carParkHas('full', 0),
  ])
  await until(async () => (await ask(testApi)).places.length === 2)
  const names = async (query: string): Promise<unknown[]> =>
    (await ask(testApi, `${HERE}&${query}`)).places.map(({ sensor, zone }) => sensor ?? zone)
  assert.deepEqual(await names('limit=1'), ['west'])
  assert.deepEqual(await names('kind=carpark'), ['g'])
  assert.deepEqual(await names('includeFull=true'), ['west', 'g', 'full'])
  const [wide] = (await ask(testApi, `${HERE}&attribute=accessible:true&in=15`)).places
  assert.deepEqual([wide?.distanceM, wide?.total, wide?.noForecast], [90, 1, 'filtered'])
})

test('says why a list is empty', async (t) => {
  const testApi = await open(t, [bay('a', 100)])
  testApi.api.applyStates([bayIs('a', 'occupied')])
  assert.equal((await ask(testApi)).note?.code, 'nothing-free')
  const paris = (await ask(testApi, 'lat=48.85&lon=2.35')).note
  assert.equal(paris?.code, 'far-away')
  assert.match(paris.text, /outside the city/)
  assert.equal((await ask(testApi, `lat=${OUTSIDE.lat}&lon=${OUTSIDE.lon}`)).note?.code, 'far-away')
  assert.equal((await ask(testApi, `${HERE}&attribute=charging:true`)).note?.code, 'no-places')
})

const REFUSED: Record<string, string> = {
  '': 'invalid-request',
  'lat=43.45': 'invalid-request',
  'lat=-3.85&lon=43.45': 'swapped-position',
  'lat=91&lon=0': 'invalid-position',
  'lat=0&lon=-180.1': 'invalid-position',
  'lat=1e999&lon=0': 'invalid-position',
  'lat=north&lon=0': 'invalid-request',
  'lat=NaN&lon=0': 'invalid-request',
  [`${HERE}&limit=0`]: 'invalid-request',
  [`${HERE}&limit=51`]: 'invalid-request',
  [`${HERE}&kind=trains`]: 'unknown-kind',
  [`${HERE}&kind=environment`]: 'unknown-kind',
  [`${HERE}&attribute=wide`]: 'invalid-attribute',
  [`${HERE}&attribute=a:1,b:1,c:1,d:1,e:1,f:1`]: 'invalid-attribute',
  [`${HERE}&in=0`]: 'invalid-request',
  [`${HERE}&in=121`]: 'invalid-request',
  [`${HERE}&at=tomorrow`]: 'invalid-time',
  [`${HERE}&at=2026-05-31T11:00:00Z`]: 'time-in-past',
  [`${HERE}&at=2026-05-31T15:00:00Z`]: 'too-far-ahead',
  [`${HERE}&in=15&at=2026-05-31T12:30:00Z`]: 'conflicting-parameters',
}

test('refuses what cannot be meant, with a code and a hint', async (t) => {
  const testApi = await open(t, [])
  for (const [query, code] of Object.entries(REFUSED)) {
    const { status, body } = await testApi.get(`/api/v1/parking/nearest?${query}`)
    assert.deepEqual([status, (body as { code: string }).code], [400, code], query)
  }
  const { text } = await testApi.get('/api/v1/parking/nearest?lat=-3.85&lon=43.45')
  assert.match(text, /lat=43.45, lon=-3.85/)
})

/** A car park that fills until noon and empties again, each day a little better or worse. */
function freeAt(timeMs: number): number {
  const shareOfDay = (timeMs % DAY_MS) / DAY_MS
  return Math.round(
    55 + 35 * Math.cos(shareOfDay * 2 * Math.PI) + 5 * Math.sin(Math.floor(timeMs / DAY_MS) * 2.4),
  )
}

const STEP_MS = 5 * MINUTE_MS

/** Five weeks of the car park `known`, as the roller tells them; of others nothing. */
const HISTORY: AggregatesQueries = {
  aggregates({ id, metric, fromMs, toMs }) {
    const buckets: AggregatedBucket[] = []
    for (let timeMs = Math.floor(fromMs / STEP_MS) * STEP_MS; timeMs < toMs; timeMs += STEP_MS) {
      const parts = { [`${metric}_last`]: freeAt(timeMs), [`${metric}_last_at`]: timeMs }
      const row = id === 'known' ? { parts, elapsedMs: 0 } : null
      buckets.push({ fromMs: timeMs, toMs: timeMs + STEP_MS, row })
    }
    return Promise.resolve(buckets)
  },
}

test('forecasts an arrival where the past taught it, with its error, and says why not elsewhere', async (t) => {
  const sensors = [carPark('known', 100), carPark('young', 200), carPark('old', 300)]
  const testApi = await open(t, sensors, { aggregates: HISTORY })
  const nowMs = NOON_MS + 3 * HOUR_MS
  testApi.clock.nowMs = nowMs
  testApi.api.applyStates([
    carParkHas('known', freeAt(nowMs) + 10, { timeMs: nowMs }),
    carParkHas('young', 50, { timeMs: nowMs }),
    carParkHas('old', 50, { timeMs: NOON_MS }),
  ])
  const learnt = async (): Promise<boolean> =>
    (await ask(testApi, `${HERE}&in=60`)).places.filter(({ forecast }) => forecast).length === 1
  await until(learnt)
  await until(
    async () => (await ask(testApi, `${HERE}&in=60`)).places[1]?.noForecast === 'too-little-history',
  )
  const answer = await ask(testApi, `${HERE}&in=60`)
  assert.equal(answer.at, new Date(nowMs + HOUR_MS).toISOString())
  const [known, young, old] = answer.places
  const { free = NaN, low = NaN, high = NaN, basis } = known?.forecast ?? {}
  assert.ok(Math.abs(free - (freeAt(nowMs + HOUR_MS) + 10)) < 5 && low <= free && free <= high)
  assert.ok(basis && basis.error < basis.errorAsNow && basis.weeks > 4.9)
  assert.deepEqual([young?.forecast, old?.forecast, old?.noForecast], [null, null, 'unknown-now'])
  const at = encodeURIComponent(new Date(nowMs + HOUR_MS).toISOString())
  assert.deepEqual((await ask(testApi, `${HERE}&at=${at}`)).places[0]?.forecast, known?.forecast)
  // The last half hour came with the history.
  assert.notEqual(known?.trend, null)
})

test('without aggregates, or while they fail, nothing is forecast and everything else answers', async (t) => {
  const failing: AggregatesQueries = { aggregates: () => Promise.reject(new Error('the store is away')) }
  for (const aggregates of [undefined, failing]) {
    const testApi = await open(t, [carPark('g', 100)], aggregates && { aggregates })
    testApi.api.applyStates([carParkHas('g', 5)])
    await until(async () => (await ask(testApi)).places.length === 1)
    const [place] = (await ask(testApi, `${HERE}&in=30`)).places
    assert.deepEqual([place?.free, place?.forecast, place?.noForecast], [5, null, 'not-learnt-yet'])
  }
})
