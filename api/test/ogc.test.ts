import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OgcCollections, OgcFeature, OgcItems, OgcLanding, OgcLink, Problem } from '@pulso/model'
import {
  createTestApi,
  EAST,
  NOON_MS,
  OUTSIDE,
  toSensor,
  toState,
  type Answer,
  type TestApi,
} from './helper.ts'

const HOST = { host: 'city.example' }
const SENSORS = [
  toSensor('a'),
  toSensor('b', { position: EAST, name: 'Corner' }),
  toSensor('c', { position: OUTSIDE }),
  toSensor('d', { position: null }),
  toSensor('p', { kind: 'parking' }),
]

const codeOf = ({ body }: Answer): string => (body as Problem).code
const hrefOf = (links: readonly OgcLink[], rel: string): string | undefined =>
  links.find((link) => link.rel === rel)?.href

async function findIds({ get }: TestApi, query: string, collection = 'bins'): Promise<string[]> {
  const answer = await get(`/ogc/collections/${collection}/items?${query}`)
  assert.equal(answer.status, 200, query)
  return (answer.body as OgcItems).features.map(({ id }) => id)
}

test('a program finds everything from the landing page, under the address it came by', async (t) => {
  const { get } = await createTestApi(t, { sensors: SENSORS })
  const follow = async (url = ''): Promise<Answer> => {
    assert.ok(url.startsWith('http://city.example/'), url)
    const answer = await get(url.slice('http://city.example'.length), HOST)
    assert.equal(answer.status, 200, url)
    return answer
  }
  const { links } = (await get('/ogc', HOST)).body as OgcLanding
  for (const rel of ['self', 'service-desc', 'conformance', 'data']) await follow(hrefOf(links, rel))
  const { collections } = (await follow(hrefOf(links, 'data'))).body as OgcCollections
  assert.deepEqual(
    collections.map(({ id }) => id),
    ['bins', 'parking', 'carpark', 'environment', 'zones'],
  )
  for (const collection of collections) {
    await follow(hrefOf(collection.links, 'self'))
    const items = await follow(hrefOf(collection.links, 'items'))
    assert.match(String(items.headers['content-type']), /^application\/geo\+json/)
  }
})

test('it claims core and GeoJSON and nothing that it does not do', async (t) => {
  const { get } = await createTestApi(t)
  const { conformsTo } = (await get('/ogc/conformance')).body as { conformsTo: string[] }
  assert.deepEqual(
    conformsTo.map((name) => name.split('/').at(-1)),
    ['core', 'geojson'],
  )
})

test('features are chosen by box, time, state, freshness and zone', async (t) => {
  const testApi = await createTestApi(t, { sensors: SENSORS })
  testApi.api.applyStates([
    toState('a', { fillLevel: 0.9 }),
    toState('b', { fillLevel: 0.1 }, { timeMs: NOON_MS - 5 * 60_000 }),
  ])
  assert.deepEqual(await findIds(testApi, ''), ['a', 'b', 'c', 'd'])
  assert.deepEqual(await findIds(testApi, 'bbox=-3.8,43.4,-3.7,43.5'), ['b'])
  assert.deepEqual(await findIds(testApi, 'bbox=-3.8,43.4,0,-3.7,43.5,100'), ['b'])
  assert.deepEqual(await findIds(testApi, 'state=full'), ['a'])
  assert.deepEqual(await findIds(testApi, 'freshness=stale'), ['b'])
  assert.deepEqual(await findIds(testApi, 'zone=west'), ['a'])
  assert.deepEqual(await findIds(testApi, 'zone=west,east&state=full,empty'), ['a', 'b'])
  // Who has never measured anything has no time, and the standard excludes nothing without one.
  assert.deepEqual(await findIds(testApi, 'datetime=2026-05-31T11:58:00Z/..'), ['a', 'c', 'd'])
  assert.deepEqual(await findIds(testApi, 'datetime=../2026-05-31T11:58:00Z&zone=east'), ['b'])
  assert.deepEqual(await findIds(testApi, 'datetime=2026-05-31T14:00:00%2B02:00&zone=west'), ['a'])
  assert.deepEqual(await findIds(testApi, 'limit=50000'), ['a', 'b', 'c', 'd'])
})

test('pages follow one another by their links', async (t) => {
  const { get } = await createTestApi(t, { sensors: SENSORS })
  const seen: string[] = []
  let url: string | undefined = '/ogc/collections/bins/items?limit=3'
  while (url) {
    const page = (await get(url, HOST)).body as OgcItems
    assert.deepEqual([page.numberMatched, page.numberReturned], [4, page.features.length])
    seen.push(...page.features.map(({ id }) => id))
    url = hrefOf(page.links, 'next')?.slice('http://city.example'.length)
  }
  assert.deepEqual(seen, ['a', 'b', 'c', 'd'])
})

test('a sensor carries its public values, a zone the sums of every kind', async (t) => {
  const { api, get } = await createTestApi(t, { sensors: SENSORS })
  api.applyStates([toState('a', { fillLevel: 0.9, rssi: -90 })])
  const sensor = (await get('/ogc/collections/bins/items/a', HOST)).body as OgcFeature
  assert.deepEqual(sensor.properties, {
    fillLevel: 0.9,
    id: 'a',
    kind: 'bins',
    name: null,
    zone: 'west',
    state: 'full',
    freshness: 'fresh',
    time: '2026-05-31T12:00:00.000Z',
  })
  assert.equal(hrefOf(sensor.links, 'self'), 'http://city.example/ogc/collections/bins/items/a')
  assert.equal(hrefOf(sensor.links, 'collection'), 'http://city.example/ogc/collections/bins')
  const zone = (await get('/ogc/collections/zones/items/west')).body as OgcFeature
  assert.equal((zone.geometry as { type: string }).type, 'Polygon')
  const { name, bins_sensors: bins, bins_state_full: full, parking_state_free: free } = zone.properties
  assert.deepEqual({ name, bins, full, free }, { name: 'West', bins: 1, full: 1, free: 0 })
})

test('zones are found by box and by page', async (t) => {
  const testApi = await createTestApi(t)
  assert.deepEqual(await findIds(testApi, '', 'zones'), ['east', 'west'])
  assert.deepEqual(await findIds(testApi, 'bbox=-3.75,43.4,-3.74,43.5', 'zones'), ['east'])
  assert.deepEqual(await findIds(testApi, 'limit=1', 'zones'), ['east'])
})

test('mistakes are told with a code and a sentence', async (t) => {
  const { get } = await createTestApi(t, { sensors: SENSORS })
  const refusals: [string, number, string][] = [
    ['/ogc/collections/trams', 404, 'unknown-collection'],
    ['/ogc/collections/trams/items', 404, 'unknown-collection'],
    ['/ogc/collections/bins/items/p', 404, 'unknown-feature'],
    ['/ogc/collections/zones/items/north', 404, 'unknown-feature'],
    ['/ogc/collections/bins/items?bbox=43.4,-3.8,43.5,-3.7', 400, 'invalid-bbox'],
    ['/ogc/collections/bins/items?datetime=yesterday', 400, 'invalid-datetime'],
    ['/ogc/collections/bins/items?datetime=..', 400, 'invalid-datetime'],
    [
      '/ogc/collections/bins/items?datetime=2026-05-31T12:00:00Z/2026-05-30T12:00:00Z',
      400,
      'invalid-datetime',
    ],
    ['/ogc/collections/bins/items?datetime=a/b/c', 400, 'invalid-datetime'],
    ['/ogc/collections/bins/items?state=sad', 400, 'unknown-state'],
    ['/ogc/collections/bins/items?zone=north', 400, 'unknown-zone'],
    ['/ogc/collections/bins/items?limit=0', 400, 'invalid-request'],
    ['/ogc/collections/bins/items?cursor=x', 400, 'invalid-cursor'],
    ['/ogc/collections/zones/items?state=full', 400, 'invalid-request'],
    // The standard asks for it: a misspelt filter would give everything.
    ['/ogc/collections/bins/items?colour=red', 400, 'unknown-parameter'],
  ]
  for (const [url, status, code] of refusals) {
    const answer = await get(url)
    assert.deepEqual([answer.status, codeOf(answer)], [status, code], url)
  }
})
