import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CityView, HistoryView, Problem, SensorCollection, SensorDetail, ZonesView } from '@pulso/model'
import { waitFor } from '../../test/support/wait.ts'
import {
  city,
  createTestApi,
  EAST,
  NOON_MS,
  openTestReadings,
  OUTSIDE,
  toSensor,
  toState,
  type Answer,
} from './helper.ts'

const idsOf = ({ body }: Answer): string[] => (body as SensorCollection).features.map(({ id }) => id)
const codeOf = ({ body }: Answer): string => (body as Problem).code

const SENSORS = [
  toSensor('a'),
  toSensor('b', { position: EAST, name: 'Corner' }),
  toSensor('c', { position: OUTSIDE }),
  toSensor('d', { position: null }),
  toSensor('p', { kind: 'parking' }),
]

test('the city says what there is, without what devices say of themselves', async (t) => {
  const { get } = await createTestApi(t)
  const view = (await get('/api/v1/city')).body as CityView
  assert.equal(view.name, 'Squareville')
  assert.equal(view.basemap, 'schematic')
  assert.deepEqual(
    view.zones.map(({ id }) => id),
    ['west', 'east'],
  )
  assert.deepEqual(view.clock, { pastMs: 604_800_000, futureMs: 300_000 })
  const bins = view.kinds.find(({ id }) => id === 'bins') ?? assert.fail()
  assert.deepEqual(
    bins.metrics.map(({ id }) => id),
    ['fillLevel', 'volume'],
  )
  assert.equal(bins.headlineMetric, 'fillLevel')
  assert.deepEqual(
    bins.states.map(({ id }) => id),
    ['empty', 'full', 'unknown'],
  )
})

test('zones give the sums of one kind or of all', async (t) => {
  const { api, get } = await createTestApi(t, { sensors: SENSORS })
  api.applyStates([toState('a', { fillLevel: 0.9 })])
  const all = (await get('/api/v1/zones')).body as ZonesView
  assert.deepEqual(
    all.zones.map(({ zone, kind, sensors }) => [zone, kind, sensors]),
    [
      ['west', 'bins', 1],
      ['east', 'bins', 1],
      ['west', 'parking', 1],
    ],
  )
  assert.equal(all.city.length, 4)
  const one = (await get('/api/v1/zones?kind=parking')).body as ZonesView
  assert.deepEqual([one.zones.length, one.city.length], [1, 1])
  assert.equal(codeOf(await get('/api/v1/zones?kind=trams')), 'unknown-kind')
})

test('sensors are found by kind, zone, state and box', async (t) => {
  const { api, get } = await createTestApi(t, { sensors: SENSORS })
  api.applyStates([toState('a', { fillLevel: 0.9 }), toState('b', { fillLevel: 0.9 })])
  const find = async (query: string): Promise<string[]> => idsOf(await get(`/api/v1/sensors?${query}`))
  assert.deepEqual(await find(''), ['a', 'b', 'c', 'd', 'p'])
  assert.deepEqual(await find('kind=bins'), ['a', 'b', 'c', 'd'])
  assert.deepEqual(await find('kind=bins,parking&zone=west'), ['a', 'p'])
  assert.deepEqual(await find('state=full'), ['a', 'b'])
  assert.deepEqual(await find('state=full&zone=east'), ['b'])
  assert.deepEqual(await find('bbox=-3.8,43.4,-3.7,43.5'), ['b'])
  assert.deepEqual(await find('bbox=10,10,11,11'), [])
})

test('pages go on where the last ended, also when sensors come in between', async (t) => {
  const { registry, api, get } = await createTestApi(t, { sensors: SENSORS, limits: { sensorsPollMs: 5 } })
  const first = await get('/api/v1/sensors?limit=2')
  assert.deepEqual(idsOf(first), ['a', 'b'])
  await registry.putSensors([toSensor('aa'), toSensor('bb')])
  api.applyStates([toState('bb', { fillLevel: 0.1 })])
  await waitFor(async () => (await get('/api/v1/sensors/bb')).status === 200, { what: 'the new sensor' })
  const pages: string[][] = []
  let { next } = first.body as SensorCollection
  while (next) {
    const page = await get(`/api/v1/sensors?limit=2&cursor=${next}`)
    pages.push(idsOf(page))
    next = (page.body as SensorCollection).next
  }
  assert.deepEqual(pages, [
    ['bb', 'c'],
    ['d', 'p'],
  ])
})

test('one sensor shows each value with its time', async (t) => {
  const { api, get } = await createTestApi(t, { sensors: [toSensor('a', { name: 'Corner' })] })
  const hourly = { fillLevel: { mean: 0.4, coverage: 1 }, rssi: { mean: -90, coverage: 1 } }
  api.applyStates([toState('a', { fillLevel: 0.5, rssi: -90 }, { hourly, receivedAtMs: NOON_MS + 900 })])
  const { body, headers } = await get('/api/v1/sensors/a')
  assert.match(String(headers['content-type']), /^application\/geo\+json/)
  const { properties, geometry } = body as SensorDetail
  assert.deepEqual(geometry?.coordinates, [-3.85, 43.45])
  assert.equal(properties.name, 'Corner')
  assert.equal(properties.receivedAt, '2026-05-31T12:00:00.900Z')
  assert.deepEqual(properties.hourly, { fillLevel: { mean: 0.4, coverage: 1 } })
  assert.deepEqual(properties.metrics, {
    fillLevel: { value: 0.5, time: '2026-05-31T12:00:00.000Z', freshness: 'fresh' },
  })
  assert.equal(codeOf(await get('/api/v1/sensors/none')), 'unknown-sensor')
})

test('history gives the points of a metric as measured', async (t) => {
  const readings = await openTestReadings(t)
  const { get } = await createTestApi(t, { sensors: [toSensor('a')], readings })
  const times = [0, 1, 2].map((hours) => NOON_MS - hours * 3_600_000)
  const inserts = times.map((timeMs, index) => ({
    sensorId: 'a',
    timeMs,
    receivedAtMs: timeMs,
    values: { fillLevel: index / 10 },
  }))
  await readings.write({ inserts: new Map([['bins', inserts]]), replacements: new Map(), position: 1 })
  const history = async (query: string): Promise<HistoryView> =>
    (await get(`/api/v1/sensors/a/history?${query}`)).body as HistoryView

  const all = await history('')
  assert.equal(all.metric, 'fillLevel')
  assert.equal(all.from, '2026-05-30T12:00:00.000Z')
  assert.deepEqual(all.points, [
    { time: '2026-05-31T10:00:00.000Z', value: 0.2 },
    { time: '2026-05-31T11:00:00.000Z', value: 0.1 },
    { time: '2026-05-31T12:00:00.000Z', value: 0 },
  ])
  // The + of an offset, not escaped, is a space to a server.
  const part = await history('metric=fillLevel&from=2026-05-31T12:30:00+02:00&to=2026-05-31T11:30:00Z')
  assert.deepEqual(
    part.points.map(({ value }) => value),
    [0.1],
  )
  assert.deepEqual((await history('metric=volume')).points, [])
})

test('history refuses what it cannot answer, and says why', async (t) => {
  const { get } = await createTestApi(t, { sensors: [toSensor('a')] })
  const refusals: [string, string][] = [
    ['step=5s', 'unknown-step'],
    ['metric=batteryLevel', 'unknown-metric'],
    ['metric=__proto__', 'unknown-metric'],
    ['from=yesterday', 'invalid-time'],
    ['from=2026-05-31T12:00:00', 'invalid-time'],
    ['from=2026-05-31T12:00:00Z&to=2026-05-30T12:00:00Z', 'invalid-range'],
    ['from=2026-01-01T12:00:00Z', 'range-too-long'],
  ]
  for (const [query, code] of refusals) {
    const answer = await get(`/api/v1/sensors/a/history?${query}`)
    assert.deepEqual([answer.status, codeOf(answer)], [400, code], query)
  }
})

test('the drawn basemap is kept for good under its version', async (t) => {
  const { get } = await createTestApi(t)
  const { basemapVersion = '' } = (await get('/api/v1/city')).body as CityView
  const plain = await get('/basemap/schematic.json')
  assert.equal((plain.body as { features: unknown[] }).features.length, 1)
  assert.equal(plain.headers['cache-control'], 'public, no-cache')
  const versioned = await get(`/basemap/schematic.json?v=${basemapVersion}`)
  assert.equal(versioned.headers['cache-control'], 'public, max-age=31536000, immutable')
})

test('a city without a drawing says so', async (t) => {
  const { basemap, ...plain } = city
  assert.ok(basemap)
  const { get } = await createTestApi(t, { city: plain })
  assert.equal(codeOf(await get('/basemap/schematic.json')), 'no-basemap')
  assert.equal(((await get('/api/v1/city')).body as CityView).basemap, null)
})
