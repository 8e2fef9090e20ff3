import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Problem } from '@pulso/model'
import { createTestApi, EAST, NOON_MS, toSensor, toState, type Answer, type TestApi } from './helper.ts'

type Entity = Record<string, unknown> & { id: string; type: string }

const HOST = { host: 'city.example' }
const NEAR_EAST = 'georel=near;maxDistance==500&geometry=Point&coordinates=[-3.75,43.45]'
const EAST_SQUARE = encodeURIComponent('[[[-3.8,43.4],[-3.7,43.4],[-3.7,43.5],[-3.8,43.5],[-3.8,43.4]]]')

const SENSORS = [
  toSensor('bay-1', { kind: 'parking', name: 'A-13' }),
  toSensor('bay-2', { kind: 'parking', position: EAST }),
  toSensor('bay-3', { kind: 'parking', position: null }),
  toSensor('garage', { kind: 'carpark', attributes: { totalSpotNumber: 300 } }),
  toSensor('air', { kind: 'environment' }),
  toSensor('noise', { kind: 'environment', position: EAST }),
  toSensor('bin'),
]

async function createCity(t: Parameters<typeof createTestApi>[0]): Promise<TestApi> {
  const testApi = await createTestApi(t, { sensors: SENSORS })
  testApi.api.applyStates([
    toState('bay-1', { status: 'free', batteryLevel: 0.5 }, { kind: 'parking' }),
    toState('bay-2', { status: 'occupied' }, { kind: 'parking', timeMs: NOON_MS - 60_000 }),
    toState('garage', { availableSpotNumber: 120 }, { kind: 'carpark', timeMs: NOON_MS - 60_000 }),
    toState('air', { no2: 21, LAeq: 58 }, { kind: 'environment' }),
    toState('noise', { LAeq: 71 }, { kind: 'environment' }),
    toState('bin', { fillLevel: 0.9 }),
  ])
  return testApi
}

async function find({ get }: TestApi, query: string): Promise<string[]> {
  const { status, body, text } = await get(`/ngsi-ld/v1/entities?${query}`)
  assert.equal(status, 200, `${query}: ${text}`)
  return (body as Entity[]).map(({ id }) => id.slice('urn:ngsi-ld:'.length))
}

test('a bay is a ParkingSpot, with each value’s own time and nothing internal', async (t) => {
  const { get } = await createCity(t)
  const { body, headers } = await get('/ngsi-ld/v1/entities/urn:ngsi-ld:ParkingSpot:bay-1', HOST)
  assert.deepEqual(body, {
    id: 'urn:ngsi-ld:ParkingSpot:bay-1',
    type: 'ParkingSpot',
    category: { type: 'Property', value: ['onStreet'] },
    name: { type: 'Property', value: 'A-13' },
    location: { type: 'GeoProperty', value: { type: 'Point', coordinates: [-3.85, 43.45] } },
    areaServed: { type: 'Property', value: 'West' },
    status: { type: 'Property', value: 'free', observedAt: '2026-05-31T12:00:00.000Z' },
    refParkingSite: { type: 'Relationship', object: 'urn:ngsi-ld:OnStreetParking:west' },
  })
  assert.equal(
    headers.link,
    '<http://city.example/ngsi-ld/v1/context.jsonld>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"',
  )
})

test('the zone that it refers to is an entity, too', async (t) => {
  const { get } = await createCity(t)
  const { body } = await get('/ngsi-ld/v1/entities/urn:ngsi-ld:OnStreetParking:west?options=keyValues')
  const { name, availableSpotNumber, totalSpotNumber, location } = body as Entity
  assert.deepEqual(
    { name, availableSpotNumber, totalSpotNumber },
    { name: 'West', availableSpotNumber: 1, totalSpotNumber: 1 },
  )
  assert.equal((location as { type: string }).type, 'Polygon')
})

test('what is offline has no value, and a silent bay is unknown, never free', async (t) => {
  const { get, clock } = await createCity(t)
  clock.nowMs += 7 * 3_600_000
  const testApi = (await get('/ngsi-ld/v1/entities?type=ParkingSpot,OffStreetParking&options=keyValues'))
    .body as Entity[]
  const bay = testApi.find(({ id }) => id.endsWith('bay-3'))
  assert.equal(bay?.status, 'unknown')
  const garage = testApi.find(({ id }) => id.endsWith('garage'))
  assert.deepEqual([garage?.availableSpotNumber, garage?.occupancy], [undefined, undefined])
  assert.equal(garage?.totalSpotNumber, 300)
})

test('units, times and what follows from the values are there', async (t) => {
  const { get } = await createCity(t)
  const garage = (await get('/ngsi-ld/v1/entities/urn:ngsi-ld:OffStreetParking:garage?options=keyValues'))
    .body as Entity
  const { occupiedSpotNumber, occupancy, status, occupancyModified } = garage
  assert.deepEqual(
    { occupiedSpotNumber, occupancy, status, occupancyModified },
    {
      occupiedSpotNumber: 180,
      occupancy: 0.6,
      status: 'spacesAvailable',
      occupancyModified: '2026-05-31T11:59:00.000Z',
    },
  )
  const air = (await get('/ngsi-ld/v1/entities/urn:ngsi-ld:AirQualityObserved:air')).body as Entity
  assert.deepEqual(air.no2, {
    type: 'Property',
    value: 21,
    observedAt: '2026-05-31T12:00:00.000Z',
    unitCode: 'GQ',
  })
  assert.deepEqual(air.dateObserved, {
    type: 'Property',
    value: { '@type': 'DateTime', '@value': '2026-05-31T12:00:00.000Z' },
  })
  // Noise is another model's: one station is two entities, or the one that it measures.
  assert.equal(air.LAeq, undefined)
  const noise = (await get('/ngsi-ld/v1/entities/urn:ngsi-ld:NoiseLevelObserved:noise?options=keyValues'))
    .body as Entity
  assert.deepEqual(
    [noise.LAeq, noise.dateObservedFrom, noise.dateObservedTo],
    [71, '2026-05-31T11:55:00.000Z', '2026-05-31T12:00:00.000Z'],
  )
  assert.equal((await get('/ngsi-ld/v1/entities/urn:ngsi-ld:AirQualityObserved:noise')).status, 404)
})

test('entities are found by type, id, attribute, condition and place', async (t) => {
  const testApi = await createCity(t)
  const questions: [string, string[]][] = [
    ['type=ParkingSpot', ['ParkingSpot:bay-1', 'ParkingSpot:bay-2', 'ParkingSpot:bay-3']],
    ['type=NoiseLevelObserved', ['NoiseLevelObserved:air', 'NoiseLevelObserved:noise']],
    ['type=Tram', []],
    ['id=urn:ngsi-ld:ParkingSpot:bay-2,urn:ngsi-ld:ParkingSpot:none,bay-1', ['ParkingSpot:bay-2']],
    ['type=OffStreetParking&id=urn:ngsi-ld:ParkingSpot:bay-2', []],
    ['attrs=no2', ['AirQualityObserved:air']],
    ['type=ParkingSpot&q=status=="free"', ['ParkingSpot:bay-1']],
    ['type=ParkingSpot&q=status!="free"', ['ParkingSpot:bay-2', 'ParkingSpot:bay-3']],
    ['type=ParkingSpot&q=status=="free","occupied"', ['ParkingSpot:bay-1', 'ParkingSpot:bay-2']],
    ['type=ParkingSpot&q=!name', ['ParkingSpot:bay-2', 'ParkingSpot:bay-3']],
    ['type=ParkingSpot&q=location;!name', ['ParkingSpot:bay-2']],
    ['q=occupancy>=0.6', ['OffStreetParking:garage']],
    ['q=occupancy>0.6', []],
    ['q=availableSpotNumber==100..120', ['OffStreetParking:garage']],
    ['q=LAeq>60', ['NoiseLevelObserved:noise']],
    ['q=(no2>20|LAeq>70);areaServed=="West"', ['AirQualityObserved:air']],
    ['q=status.observedAt<2026-05-31T12:00:00Z', ['OffStreetParking:garage', 'ParkingSpot:bay-2']],
    ['q=no2.unitCode=="GQ"', ['AirQualityObserved:air']],
    ['q=dateObserved>=2026-05-31T14:00:00%2B02:00', ['AirQualityObserved:air']],
    ['q=category=="onStreet";status=="free"', ['ParkingSpot:bay-1']],
    ['q=refParkingSite=="urn:ngsi-ld:OnStreetParking:east"', ['ParkingSpot:bay-2']],
    [`type=ParkingSpot&${NEAR_EAST}`, ['ParkingSpot:bay-2']],
    [
      'type=ParkingSpot&georel=near;minDistance==500&geometry=Point&coordinates=[-3.75,43.45]',
      ['ParkingSpot:bay-1'],
    ],
    [`type=ParkingSpot&georel=within&geometry=Polygon&coordinates=${EAST_SQUARE}`, ['ParkingSpot:bay-2']],
    [`type=ParkingSpot&georel=disjoint&geometry=Polygon&coordinates=${EAST_SQUARE}`, ['ParkingSpot:bay-1']],
  ]
  for (const [query, ids] of questions) {
    const found = await find(testApi, query)
    assert.deepEqual(found, ids, query)
  }
})

test('pages lead on and back, and are counted when asked', async (t) => {
  const { get } = await createCity(t)
  const first = await get('/ngsi-ld/v1/entities?type=ParkingSpot&limit=2&count=true', HOST)
  assert.equal(first.headers['ngsild-results-count'], '3')
  assert.equal((first.body as Entity[]).length, 2)
  const next =
    /<http:\/\/city\.example([^>]+)>; rel="next"/.exec(String(first.headers.link))?.[1] ?? assert.fail()
  const second = await get(next, HOST)
  assert.deepEqual(
    (second.body as Entity[]).map(({ id }) => id),
    ['urn:ngsi-ld:ParkingSpot:bay-3'],
  )
  assert.doesNotMatch(String(second.headers.link), /rel="next"/)
  assert.match(String(second.headers.link), /[?&]offset=0[^>]*>; rel="prev"/)
  const counted = await get('/ngsi-ld/v1/entities?type=ParkingSpot&limit=0&count=true')
  assert.deepEqual([counted.body, counted.headers['ngsild-results-count']], [[], '3'])
})

test('the context goes where the client wants it', async (t) => {
  const { get } = await createCity(t)
  const answer = await get('/ngsi-ld/v1/entities?type=ParkingSpot&attrs=status&options=keyValues,sysAttrs', {
    ...HOST,
    accept: 'application/ld+json',
  })
  assert.match(String(answer.headers['content-type']), /^application\/ld\+json/)
  assert.equal(answer.headers.link, undefined)
  const [entity] = answer.body as Entity[]
  assert.deepEqual(entity, {
    id: 'urn:ngsi-ld:ParkingSpot:bay-1',
    type: 'ParkingSpot',
    status: 'free',
    createdAt: '2026-05-31T12:00:00.000Z',
    modifiedAt: '2026-05-31T12:00:00.000Z',
    '@context': 'http://city.example/ngsi-ld/v1/context.jsonld',
  })
  const { '@context': contexts } = (await get('/ngsi-ld/v1/context.jsonld')).body as { '@context': string[] }
  assert.ok(contexts.some((context) => context.includes('dataModel.Parking')))
  assert.match(contexts.at(-1) ?? '', /ngsi-ld-core-context/)
})

test('the types are those of the city’s kinds, without one being named in code', async (t) => {
  const { get } = await createCity(t)
  const { typeList } = (await get('/ngsi-ld/v1/types')).body as { typeList: string[] }
  assert.deepEqual(typeList, [
    'AirQualityObserved',
    'NoiseLevelObserved',
    'OffStreetParking',
    'OnStreetParking',
    'ParkingSpot',
    'WasteContainer',
  ])
})

test('mistakes have the standard’s type and our code', async (t) => {
  const { get } = await createCity(t)
  const refusals: [string, number, string, string][] = [
    ['', 400, 'BadRequestData', 'query-too-broad'],
    ['limit=5', 400, 'BadRequestData', 'query-too-broad'],
    ['type=ParkingSpot&limit=5000', 400, 'InvalidRequest', 'invalid-request'],
    ['q=status==', 400, 'BadRequestData', 'invalid-query'],
    ['q=(status=="free"', 400, 'BadRequestData', 'invalid-query'],
    ['q=status=="free")', 400, 'BadRequestData', 'invalid-query'],
    ['q===', 400, 'BadRequestData', 'invalid-query'],
    ['q=status[a]==1', 400, 'BadRequestData', 'invalid-query'],
    ['q=name~=.*', 400, 'OperationNotSupported', 'unsupported-operator'],
    [`q=${'('.repeat(50)}a${')'.repeat(50)}`, 403, 'TooComplexQuery', 'query-too-complex'],
    [`q=${Array.from({ length: 50 }, () => 'a').join(';')}`, 403, 'TooComplexQuery', 'query-too-complex'],
    ['type=ParkingSpot&options=pretty', 400, 'BadRequestData', 'unknown-option'],
    ['georel=near&geometry=Point&coordinates=[-3.7,43.4]', 400, 'BadRequestData', 'invalid-geo-query'],
    ['georel=within&geometry=Polygon&coordinates=[[[1,2]]]', 400, 'BadRequestData', 'invalid-geo-query'],
    ['georel=within&geometry=Polygon&coordinates=null', 400, 'BadRequestData', 'invalid-geo-query'],
    ['georel=crosses&geometry=Polygon&coordinates=[]', 400, 'OperationNotSupported', 'unsupported-georel'],
    ['georel=near;maxDistance==5', 400, 'BadRequestData', 'invalid-geo-query'],
    // Latitude first.
    [
      'georel=near;maxDistance==5&geometry=Point&coordinates=[43.45,-3.85]',
      400,
      'BadRequestData',
      'invalid-geo-query',
    ],
    [
      `type=Thing&id=${Array.from({ length: 101 }, (_, index) => `urn:${index}`).join(',')}`,
      400,
      'BadRequestData',
      'too-many-ids',
    ],
  ]
  const check = (
    { status, body, headers }: Answer,
    expected: [number, string, string],
    about: string,
  ): void => {
    const { type, code } = body as Problem
    assert.deepEqual(
      [status, type, code],
      [expected[0], `https://uri.etsi.org/ngsi-ld/errors/${expected[1]}`, expected[2]],
      about,
    )
    assert.match(String(headers['content-type']), /^application\/problem\+json/)
  }
  for (const [query, ...expected] of refusals)
    check(await get(`/ngsi-ld/v1/entities?${query}`), expected, query)
  const missing = await get('/ngsi-ld/v1/entities/urn:ngsi-ld:ParkingSpot:none')
  check(missing, [404, 'ResourceNotFound', 'unknown-entity'], 'one that is not there')
  // A sensor is no entity of another kind's type.
  check(
    await get('/ngsi-ld/v1/entities/urn:ngsi-ld:ParkingSpot:bin'),
    [404, 'ResourceNotFound', 'unknown-entity'],
    'bin',
  )
})
