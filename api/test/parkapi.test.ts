import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ParkApiCity, ParkApiIndex, ParkApiLot, Problem } from '@pulso/model'
import { createTestApi, EAST, NOON_MS, toSensor, toState, type TestApi } from './helper.ts'

const HOUR_MS = 3_600_000

const SENSORS = [
  toSensor('garage', {
    kind: 'carpark',
    name: 'Plaza',
    attributes: { totalSpotNumber: 300, address: 'Plaza 1' },
  }),
  toSensor('silent', { kind: 'carpark', position: EAST, attributes: { totalSpotNumber: 80 } }),
  toSensor('nowhere', { kind: 'carpark', position: null }),
  toSensor('bay-1', { kind: 'parking' }),
  toSensor('bay-2', { kind: 'parking' }),
  toSensor('bay-3', { kind: 'parking' }),
  toSensor('bay-4', { kind: 'parking', position: EAST }),
  toSensor('bin'),
]

async function readLots({ get }: TestApi): Promise<Record<string, ParkApiLot>> {
  const { lots } = (await get('/parkapi/v1/squareville')).body as ParkApiCity
  return Object.fromEntries(lots.map((lot) => [lot.id, lot]))
}

test('car parks are lots, and the single bays of a zone are one', async (t) => {
  const testApi = await createTestApi(t, { sensors: SENSORS })
  testApi.api.applyStates([
    toState('garage', { availableSpotNumber: 120 }, { kind: 'carpark' }),
    toState('bay-1', { status: 'free' }, { kind: 'parking' }),
    toState('bay-2', { status: 'occupied' }, { kind: 'parking' }),
  ])
  const { garage, ...others } = await readLots(testApi)
  assert.deepEqual(garage, {
    id: 'garage',
    name: 'Plaza',
    coords: { lat: 43.45, lng: -3.85 },
    total: 300,
    free: 120,
    state: 'open',
    forecast: false,
    region: 'West',
    address: 'Plaza 1',
    lot_type: 'Aparcamiento',
  })
  // Nothing of a lot without a place, and no lots of things that do not count places.
  assert.deepEqual(Object.keys(others).sort(), ['parking-east', 'parking-west', 'silent'])
  const { free, total, state, name } = others['parking-west'] ?? {}
  assert.deepEqual({ free, total, state, name }, { free: 1, total: 3, state: 'open', name: 'West' })
  assert.equal(others['parking-east']?.state, 'nodata')
})

test('what is not fresh is no data, and never free', async (t) => {
  const testApi = await createTestApi(t, { sensors: SENSORS })
  testApi.api.applyStates([
    toState(
      'garage',
      { availableSpotNumber: 120, status: 'open' },
      { kind: 'carpark', timeMs: NOON_MS - 2 * HOUR_MS },
    ),
    toState('silent', { status: 'closed' }, { kind: 'carpark' }),
    toState('bay-1', { status: 'free' }, { kind: 'parking', timeMs: NOON_MS - 2 * HOUR_MS }),
  ])
  const lots = await readLots(testApi)
  assert.deepEqual([lots.garage?.state, lots.garage?.free, lots.garage?.total], ['nodata', 0, 300])
  assert.deepEqual([lots.silent?.state, lots.silent?.free], ['closed', 0])
  assert.deepEqual([lots['parking-west']?.state, lots['parking-west']?.free], ['nodata', 0])
})

test('the index names the city, whose lots are there too, with times as the format has them', async (t) => {
  const { api, get } = await createTestApi(t, { sensors: SENSORS })
  api.applyStates([
    toState('garage', { availableSpotNumber: 120 }, { kind: 'carpark', timeMs: NOON_MS - 60_000 }),
  ])
  const index = (await get('/parkapi/v1')).body as ParkApiIndex
  assert.deepEqual(index.cities, { squareville: 'Squareville' })
  assert.equal(index.last_updated, '2026-05-31T11:59:00')
  assert.equal(index.api_version, '1.0')
  assert.deepEqual((await get('/parkapi/v1/Squareville')).body, (await get('/parkapi/v1/squareville')).body)
  const unknown = await get('/parkapi/v1/atlantis')
  assert.deepEqual([unknown.status, (unknown.body as Problem).code], [404, 'unknown-city'])
})
