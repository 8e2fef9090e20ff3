import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { toFeatureId, type Problem, type Sensor, type TileJson } from '@pulso/model'
import { waitFor } from '../../test/support/wait.ts'
import { createCurrentState } from '../src/current/current-state.ts'
import { createSensorIndex } from '../src/tiles/sensor-index.ts'
import { toLabelPosition, toTilePoint, toWorldPoint, type TileAddress } from '../src/tiles/mercator.ts'
import {
  city,
  createTestApi,
  EAST,
  kinds,
  NOON_MS,
  OUTSIDE,
  toSensor,
  toState,
  WEST,
  type TestApi,
} from './helper.ts'
import { readTile, type ReadFeature } from './tile-reader.ts'

type Layers = Record<string, ReadFeature[]>

function toAddress({ lon, lat }: { lon: number; lat: number }, z: number): TileAddress {
  const { x, y } = toWorldPoint({ lon, lat })
  return { z, x: Math.floor(x * 2 ** z), y: Math.floor(y * 2 ** z) }
}

function toPath({ z, x, y }: TileAddress, query = ''): string {
  return `/tiles/sensors/${z}/${x}/${y}.mvt${query}`
}

async function getTile(
  { api }: TestApi,
  path: string,
): Promise<{ status: number; headers: Record<string, unknown>; layers: Layers }> {
  const { statusCode, headers, rawPayload } = await api.app.inject({ url: path })
  return { status: statusCode, headers, layers: readTile(rawPayload) }
}

test('near by, each sensor is a point with a number that its id gives', async (t) => {
  const testApi = await createTestApi(t, { sensors: [toSensor('a'), toSensor('b', { position: EAST })] })
  const { layers, headers } = await getTile(testApi, toPath(toAddress(WEST, 16)))
  assert.equal(headers['content-type'], 'application/vnd.mapbox-vector-tile')
  const [feature, ...others] = layers.sensors ?? []
  assert.deepEqual([others, Object.keys(layers)], [[], ['sensors']])
  assert.equal(feature?.id, toFeatureId('a'))
  assert.deepEqual(feature.tags, { id: 'a', kind: 'bins', zone: 'west' })
  assert.deepEqual([feature.x, feature.y], toTilePoint(toWorldPoint(WEST), toAddress(WEST, 16)))
})

test('who has no live feed asks for the state', async (t) => {
  const testApi = await createTestApi(t, { sensors: [toSensor('a')] })
  testApi.api.applyStates([toState('a', { fillLevel: 0.9 })])
  const path = toPath(toAddress(WEST, 14), '?state=true')
  const before = await getTile(testApi, path)
  assert.deepEqual(before.layers.sensors?.[0]?.tags, {
    id: 'a',
    kind: 'bins',
    zone: 'west',
    state: 'full',
    freshness: 'fresh',
  })
  assert.equal(before.headers['cache-control'], 'public, max-age=5')
  testApi.api.applyStates([toState('a', { fillLevel: 0.1 }, { timeMs: NOON_MS + 1 })])
  testApi.clock.nowMs += 3_000
  const kept = await getTile(testApi, path)
  assert.deepEqual(
    [kept.layers.sensors?.[0]?.tags.state, kept.headers['cache-control']],
    ['full', 'public, max-age=2'],
  )
  testApi.clock.nowMs += 2_000
  assert.equal((await getTile(testApi, path)).layers.sensors?.[0]?.tags.state, 'empty')
})

test('further away, a cluster says how many sensors stand how', async (t) => {
  const sensors = ['a', 'b', 'c', 'd'].map((id) => toSensor(id))
  const testApi = await createTestApi(t, { sensors: [...sensors, toSensor('p', { kind: 'parking' })] })
  testApi.api.applyStates([
    toState('a', { fillLevel: 0.9 }),
    toState('b', { fillLevel: 0.1 }),
    toState('c', { fillLevel: 0.2 }, { timeMs: NOON_MS - 5 * 60_000 }),
  ])
  const { layers } = await getTile(testApi, toPath(toAddress(WEST, 12)))
  assert.deepEqual(Object.keys(layers), ['clusters'])
  const bins = layers.clusters?.find(({ tags }) => tags.kind === 'bins')
  assert.deepEqual(bins?.tags, {
    kind: 'bins',
    sensors: 4,
    state_empty: 2,
    state_full: 1,
    state_unknown: 1,
    fresh: 2,
    stale: 1,
    offline: 1,
  })
  assert.deepEqual([bins.x, bins.y], toTilePoint(toWorldPoint(WEST), toAddress(WEST, 12)))
  assert.equal(layers.clusters?.length, 2)
  const one = await getTile(testApi, toPath(toAddress(WEST, 12), '?kind=parking'))
  assert.deepEqual(
    one.layers.clusters?.map(({ tags }) => tags.kind),
    ['parking'],
  )
  assert.equal(one.layers.clusters[0]?.id, layers.clusters.find(({ tags }) => tags.kind === 'parking')?.id)
})

test('from afar, each zone has its sums, and what is outside every zone is not left out', async (t) => {
  const sensors = [toSensor('a'), toSensor('b', { position: EAST }), toSensor('c', { position: OUTSIDE })]
  const testApi = await createTestApi(t, { sensors: [...sensors, toSensor('d', { position: null })] })
  testApi.api.applyStates([toState('a', { fillLevel: 0.9, volume: 40 })])
  const { layers } = await getTile(testApi, toPath({ z: 0, x: 0, y: 0 }))
  assert.deepEqual(
    layers.zones?.map(({ tags }) => [tags.zone, tags.name, tags.kind, tags.sensors]),
    [
      ['west', 'West', 'bins', 1],
      ['east', 'East', 'bins', 1],
    ],
  )
  const { state_full: full, figure_volume: volume, figure_fill: fill } = layers.zones[0]?.tags ?? {}
  assert.deepEqual([full, volume, fill], [1, 40, 0.9])
  // A figure that nobody can know is not there, instead of 0.
  assert.equal(layers.zones[1]?.tags.figure_fill, undefined)
  assert.deepEqual(
    layers.clusters?.map(({ tags }) => tags.sensors),
    [1],
  )
})

test('a tile of places holds until something in it moves', async (t) => {
  const testApi = await createTestApi(t, {
    sensors: [toSensor('a'), toSensor('b', { position: EAST })],
    limits: { sensorsPollMs: 5 },
  })
  const path = toPath(toAddress(WEST, 14))
  const before = await getTile(testApi, path)
  assert.equal(before.headers['cache-control'], 'public, max-age=60')
  testApi.api.applyStates([toState('a', { fillLevel: 0.9 })])
  const again = await testApi.get(path, { 'if-none-match': String(before.headers.etag) })
  assert.equal(again.status, 304)
  await testApi.registry.putSensors([toSensor('b'), toSensor('c')])
  await waitFor(async () => (await getTile(testApi, path)).layers.sensors?.length === 3, { what: 'the move' })
  const { layers } = await getTile(testApi, path)
  assert.deepEqual(
    layers.sensors?.map(({ tags, id }) => [tags.id, id]),
    ['a', 'b', 'c'].map((id) => [id, toFeatureId(id)]),
  )
  // Nobody is left where it came from.
  assert.equal((await getTile(testApi, toPath(toAddress(EAST, 14)))).status, 204)
})

test('tiles are packed once, and sent plain to who cannot unpack them', async (t) => {
  const { api } = await createTestApi(t, { sensors: [toSensor('a')] })
  const url = toPath(toAddress(WEST, 14))
  const plain = await api.app.inject({ url })
  const packed = await api.app.inject({ url, headers: { 'accept-encoding': 'br;q=0.9, gzip' } })
  const refused = await api.app.inject({ url, headers: { 'accept-encoding': 'gzip;q=0, identity' } })
  assert.equal(packed.headers['content-encoding'], 'gzip')
  assert.deepEqual(gunzipSync(packed.rawPayload), plain.rawPayload)
  assert.deepEqual(refused.rawPayload, plain.rawPayload)
  assert.match(String(packed.headers.vary), /accept-encoding/i)
})

test('an address that is no tile is refused with a reason, an empty tile is empty', async (t) => {
  const { get } = await createTestApi(t, { sensors: [toSensor('a')] })
  const empty = await get('/tiles/sensors/14/0/0.mvt')
  assert.deepEqual([empty.status, empty.text], [204, ''])
  for (const path of ['17/0/0', '-1/0/0', '2/4/0', '2/0/-1', '0/0/1']) {
    const { status, body } = await get(`/tiles/sensors/${path}.mvt`)
    assert.deepEqual([status, (body as Problem).code], [400, 'invalid-tile'], path)
  }
  for (const path of ['1.5/0/0', 'a/0/0', '1/0/NaN', '1e1/0/0.5', '99999999999999999999/0/0']) {
    const { status, body } = await get(`/tiles/sensors/${path}.mvt`)
    assert.equal(status, 400, path)
    assert.match((body as Problem).code, /^invalid-(tile|request)$/, path)
  }
  assert.equal(((await get('/tiles/sensors/0/0/0.mvt?kind=trams')).body as Problem).code, 'unknown-kind')
})

test('TileJSON says where they are, as the client reached us', async (t) => {
  const { get } = await createTestApi(t)
  const { body } = await get('/tiles/sensors.json', { host: 'pulso.example:8443' })
  const { tiles, maxzoom, vector_layers: layers } = body as TileJson
  assert.deepEqual(tiles, ['http://pulso.example:8443/tiles/sensors/{z}/{x}/{y}.mvt'])
  assert.equal(maxzoom, 16)
  assert.deepEqual(
    layers.map(({ id }) => id),
    ['zones', 'clusters', 'sensors'],
  )
  const odd = await get('/tiles/sensors.json', { host: 'a"b' })
  assert.deepEqual((odd.body as TileJson).tiles, ['/tiles/sensors/{z}/{x}/{y}.mvt'])
})

test('of two ids that give one number the older sensor keeps it, in whatever order they come', async () => {
  // Only four numbers for three sensors: they meet.
  const toNumber = (text: string): number => text.length % 4
  const sensors: Sensor[] = [
    toSensor('aaa', { createdAtMs: 3 }),
    toSensor('bbb', { createdAtMs: 1 }),
    toSensor('ccc', { createdAtMs: 2, position: null }),
  ]
  const numberIn = async (order: readonly Sensor[]): Promise<Record<string, number>> => {
    const current = createCurrentState({ zones: city.zones, kinds, clock: { now: () => NOON_MS } })
    const index = createSensorIndex({ current, toNumber })
    for (const sensor of order) {
      current.putSensors([sensor])
      await index.update()
    }
    current.putSensors([toSensor('ccc', { createdAtMs: 2 })])
    await index.update()
    const buckets = index.bucketsOf({ z: 0, x: 0, y: 0 })
    const members = buckets.flatMap((bucket) => [...bucket.members])
    return Object.fromEntries(members.map(({ sensor, featureId }) => [sensor.id, featureId]))
  }
  const expected = await numberIn(sensors)
  assert.equal(expected.bbb, 3)
  assert.equal(new Set(Object.values(expected)).size, 3)
  assert.deepEqual(await numberIn(sensors.toReversed()), expected)
})

test('a zone’s label lies in the zone, also in one like a horseshoe', () => {
  const horseshoe = [
    [0, 0],
    [9, 0],
    [9, 9],
    [7, 9],
    [7, 2],
    [2, 2],
    [2, 9],
    [0, 9],
    [0, 0],
  ]
  const { lon, lat } = toLabelPosition({ type: 'Polygon', coordinates: [horseshoe] })
  assert.ok((lon < 2 || lon > 7) && lat > 0 && lat < 9, `${lon} ${lat}`)
  const square = city.zones[0]?.geometry ?? assert.fail()
  const middle = toLabelPosition(square)
  assert.ok(Math.abs(middle.lon - WEST.lon) < 1e-9 && Math.abs(middle.lat - WEST.lat) < 1e-9)
})
