import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  createZoneIndex,
  isSensorId,
  type City,
  type SchematicFeature,
  type ZoneGeometry,
} from '@pulso/model'
import { planVirtualCity, VIRTUAL_CITY_PREFIX, type PlannedSensor } from '../src/index.ts'
import { createProjection, createPath, distanceToPath } from '../src/plan/geometry.ts'
import { PLAIN_CITY, readSantander } from './cities.ts'

const city = await readSantander()
const sensors = planVirtualCity({ city, seed: 1 })

function countByKind(list: readonly PlannedSensor[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { kind } of list) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

const featuresOf = (layer: string): SchematicFeature[] =>
  city.basemap && 'schematic' in city.basemap
    ? city.basemap.schematic.filter(({ properties }) => properties.layer === layer)
    : []
const areaOf = (layer: string) =>
  createZoneIndex(
    featuresOf(layer).map(({ geometry }) => ({ id: layer, name: layer, geometry: geometry as ZoneGeometry })),
  )

suite('the plan of Santander', () => {
  test('has the counts that were asked for', () => {
    assert.deepEqual(countByKind(sensors), { parking: 600, carpark: 8, lighting: 350, environment: 40 })
    const few = planVirtualCity({ city, seed: 1, counts: { bays: 30, lamps: 0 } })
    assert.deepEqual(countByKind(few), { parking: 30, carpark: 8, environment: 40 })
  })

  test('is the same for the same seed, and another for another', () => {
    assert.deepEqual(planVirtualCity({ city, seed: 1 }), sensors)
    assert.notDeepEqual(planVirtualCity({ city, seed: 2 }), sensors)
  })

  test('puts every sensor inside a zone, on land and out of the water', () => {
    const [zones, land, water] = [createZoneIndex(city.zones), areaOf('land'), areaOf('water')]
    for (const { id, position } of sensors) {
      assert.ok(zones.find(position), `${id} is in no zone`)
      assert.ok(land.find(position), `${id} is off the land`)
      assert.equal(water.find(position), null, `${id} is in the water`)
    }
  })

  test('gives ids under one prefix, and each sensor of a kind a name of its own', () => {
    assert.ok(sensors.every(({ id }) => isSensorId(id) && id.startsWith(VIRTUAL_CITY_PREFIX)))
    assert.equal(new Set(sensors.map(({ id }) => id)).size, sensors.length)
    assert.equal(new Set(sensors.map(({ kind, name }) => `${kind} ${name}`)).size, sensors.length)
    const other = planVirtualCity({ city, seed: 1, prefix: 'x-' })
    assert.ok(other.every(({ id }) => id.startsWith('x-')))
  })

  test('lays bays in rows at a kerb, a few metres from the middle of their street', () => {
    const [west, south, east, north] = city.bounds
    const projection = createProjection([(west + east) / 2, (south + north) / 2])
    const paths = featuresOf('street').map(({ properties, geometry }) => ({
      name: properties.name ?? '',
      path: createPath((geometry.coordinates as [number, number][]).map(projection.toPoint)),
    }))
    const bays = sensors.filter(({ kind }) => kind === 'parking')
    for (const { id, position, attributes } of bays) {
      const point = projection.toPoint([position.lon, position.lat])
      const own = paths.filter(({ name }) => name === attributes.street)
      const distanceM = Math.min(...own.map(({ path }) => distanceToPath(point, path)))
      assert.ok(distanceM > 1 && distanceM < 7, `${id} is ${distanceM} m from ${String(attributes.street)}`)
      const others = paths.filter(({ name }) => name !== attributes.street)
      const nearestM = Math.min(...others.map(({ path }) => distanceToPath(point, path)))
      assert.ok(nearestM > 4, `${id} is on a crossing`)
    }
    const points = bays.map(({ position }) => projection.toPoint([position.lon, position.lat]))
    const inRows = points.filter((a) => points.some((b) => a !== b && Math.hypot(a.x - b.x, a.y - b.y) < 7))
    assert.ok(inRows.length > 0.9 * bays.length)
    const sorted = points.map(({ x, y }) => `${x.toFixed(0)} ${y.toFixed(0)}`)
    assert.equal(new Set(sorted).size, bays.length)
  })

  test('has more bays in the centre than in any other district', () => {
    const zones = createZoneIndex(city.zones)
    const counts = new Map<string, number>()
    for (const { kind, position } of sensors) {
      const zone = zones.find(position) ?? ''
      if (kind === 'parking') counts.set(zone, (counts.get(zone) ?? 0) + 1)
    }
    const most = [...counts].sort(([, a], [, b]) => b - a)[0]?.[0]
    assert.equal(most, 'centro')
    assert.ok(counts.size >= 6, 'other districts have some too')
  })

  test('spreads stations over the districts, some at main roads', () => {
    const zones = createZoneIndex(city.zones)
    const stations = sensors.filter(({ kind }) => kind === 'environment')
    assert.ok(new Set(stations.map(({ position }) => zones.find(position))).size >= 12)
    const atRoads = stations.filter(({ attributes }) => attributes.areaType === 'traffic').length
    assert.ok(atRoads >= 8 && atRoads <= 30, `${atRoads} of 40`)
  })

  test('knows the capacity of each car park', () => {
    for (const { attributes } of sensors.filter(({ kind }) => kind === 'carpark')) {
      assert.ok(Number(attributes.totalSpotNumber) >= 90)
    }
  })
})

suite('the plan of other cities', () => {
  test('falls back to the zones where no streets are drawn', () => {
    const planned = planVirtualCity({
      city: PLAIN_CITY,
      seed: 3,
      counts: { bays: 20, lamps: 10, stations: 5, carParks: 2 },
    })
    assert.deepEqual(countByKind(planned), { parking: 20, carpark: 2, lighting: 10, environment: 5 })
    const zones = createZoneIndex(PLAIN_CITY.zones)
    assert.ok(planned.every(({ position }) => zones.find(position) === 'square'))
  })

  test('works with streets alone, and gives what there is room for', () => {
    const street: SchematicFeature = {
      type: 'Feature',
      properties: { layer: 'street', name: 'High Street', class: 'residential' },
      geometry: {
        type: 'LineString',
        coordinates: [
          [-3.805, 43.46],
          [-3.8025, 43.46],
        ],
      },
    }
    const oneStreet: City = { ...PLAIN_CITY, zones: [], basemap: { schematic: [street] } }
    const planned = countByKind(planVirtualCity({ city: oneStreet, seed: 3 }))
    assert.ok((planned.parking ?? 0) > 20 && (planned.parking ?? 0) < 120)
    assert.ok((planned.lighting ?? 0) > 3)
    assert.equal(planned.environment, 40)
  })

  test('says what is missing where there is neither', () => {
    const empty: City = { ...PLAIN_CITY, zones: [] }
    assert.throws(() => planVirtualCity({ city: empty, seed: 1 }), {
      code: 'city-without-ground',
      message: /neither zones nor streets/,
    })
  })
})
