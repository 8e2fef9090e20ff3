import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseCity, type City, type SchematicFeature } from '../src/city.ts'
import {
  createZoneIndex,
  isWithin,
  toPolygons,
  type LonLat,
  type Zone,
  type ZoneGeometry,
} from '../src/zones.ts'

const FOLDER = fileURLToPath(new URL('../cities/', import.meta.url))
const FILES = readdirSync(FOLDER).filter((file) => file.endsWith('.json'))

/** How dense the grid is on which areas are compared. */
const GRID_STEPS = 160
/** Streets are looked at every so many degrees (about 20 m). */
const SAMPLE_DEGREES = 0.000_2
/** What rounding may move a point on the shore by (about 3 m). */
const SHORE_DEGREES = 0.000_03
const STREET_CLASSES = ['motorway', 'primary', 'secondary', 'residential']

interface Expected {
  zones: readonly string[]
  streets: number
  layers: readonly string[]
  languages: readonly string[]
  timeZone: string
  /** Places everyone there knows, `[lon, lat]`, and the district they are in; `null` is water or another town. */
  landmarks: readonly [string, LonLat, string | null][]
}

const EXPECTED: Readonly<Record<string, Expected>> = {
  'santander.json': {
    zones: ['centro', 'puertochico', 'sardinero', 'cueto', 'monte', 'general-davila', 'cuatro-caminos'],
    streets: 60,
    layers: ['land', 'water', 'beach', 'park', 'harbour', 'rail', 'street', 'place'],
    languages: ['es', 'en', 'fr'],
    timeZone: 'Europe/Madrid',
    landmarks: [
      ['Ayuntamiento', [-3.81, 43.4623], 'centro'],
      ['Puertochico', [-3.798, 43.463], 'puertochico'],
      ['Palacio de la Magdalena', [-3.7665, 43.469], 'sardinero'],
      ['Gran Casino', [-3.783, 43.4723], 'sardinero'],
      ['Faro de Cabo Mayor', [-3.7912, 43.4903], 'cueto'],
      ['Hospital Valdecilla', [-3.8296, 43.4558], 'cuatro-caminos'],
      ['the bay', [-3.79, 43.448], null],
      ['the Cantabrian Sea', [-3.83, 43.495], null],
      ['the strait of the Magdalena', [-3.77, 43.463], null],
    ],
  },
  'dresden.json': {
    zones: ['innere-altstadt', 'suedvorstadt', 'pieschen', 'blasewitz'],
    streets: 15,
    layers: ['land', 'water', 'park', 'rail', 'street', 'place'],
    languages: ['en'],
    timeZone: 'Europe/Berlin',
    landmarks: [
      ['Frauenkirche', [13.7416, 51.0519], 'innere-altstadt'],
      ['Semperoper', [13.7353, 51.0544], 'innere-altstadt'],
      ['Technische Universität', [13.727, 51.0283], 'suedvorstadt'],
      ['Blaues Wunder, left bank', [13.8075, 51.052], 'blasewitz'],
      ['Radebeul', [13.66, 51.105], null],
    ],
  },
  'barcelona.json': {
    zones: ['ciutat-vella', 'eixample', 'gracia', 'sants-montjuic', 'sant-marti'],
    streets: 15,
    layers: ['land', 'beach', 'park', 'harbour', 'street', 'place'],
    languages: ['es', 'en', 'fr'],
    timeZone: 'Europe/Madrid',
    landmarks: [
      ['Catedral', [2.1763, 41.384], 'ciutat-vella'],
      ['Sagrada Família', [2.1744, 41.4036], 'eixample'],
      ['Castell de Montjuïc', [2.1663, 41.3634], 'sants-montjuic'],
      ['Camp Nou', [2.1228, 41.3809], 'les-corts'],
      ['the sea', [2.22, 41.36], null],
    ],
  },
}

for (const file of FILES) {
  describe(`the city file ${file}`, () => {
    const city = readCity(file)
    const expected = EXPECTED[file]
    const land = union('land', featuresOf(city, 'land'))
    const streets = featuresOf(city, 'street')

    it('has everything that a demo and a map need', () => {
      assert.ok(expected, `${file} has no expectations in this test`)
      assert.equal(city.timeZone, expected.timeZone)
      for (const language of expected.languages) assert.ok(city.languages.includes(language as 'en'))
      const ids = city.zones.map(({ id }) => id)
      for (const id of expected.zones) assert.ok(ids.includes(id), `no zone ${id}`)
      for (const layer of expected.layers) assert.ok(featuresOf(city, layer).length > 0, `no ${layer}`)
      assert.ok(streets.length >= expected.streets, `only ${streets.length} streets`)
    })

    it('names every zone and street once', () => {
      for (const names of [city.zones.map(({ name }) => name), streets.map(nameOf)]) {
        assert.ok(names.every((name) => name.trim() !== ''))
        assert.deepEqual(repeated(names), [])
      }
      for (const street of streets) {
        assert.equal(street.geometry.type, 'LineString')
        assert.ok(STREET_CLASSES.includes(street.properties.class ?? ''), nameOf(street))
      }
    })

    it('draws with plain finite coordinates of at most five decimals', () => {
      const geometries = [...city.zones, ...featuresOf(city)].map(({ geometry }) => geometry)
      for (const [lon, lat] of geometries.flatMap(pointsOf)) {
        assert.ok(Math.abs(lon) <= 180 && Math.abs(lat) <= 90, `${lon},${lat}`)
        for (const degrees of [lon, lat]) assert.equal(Number(degrees.toFixed(5)), degrees)
      }
    })

    it('draws areas as closed rings that do not cross themselves', () => {
      const areas = [...city.zones, ...featuresOf(city)].filter(({ geometry }) =>
        geometry.type.endsWith('Polygon'),
      )
      for (const area of areas) {
        for (const ring of toPolygons(area.geometry as ZoneGeometry).flat()) {
          assert.ok(ring.length >= 4, labelOf(area))
          assert.deepEqual(ring[0], ring.at(-1), `${labelOf(area)} is open`)
          assert.equal(findCrossing(ring), null, `${labelOf(area)} crosses itself`)
        }
      }
    })

    it('keeps every street on land and within the bounds', () => {
      const isLand = createZoneIndex([land])
      for (const street of streets) {
        for (const [lon, lat] of samples(street)) {
          const where = `${nameOf(street)} at ${lon},${lat}`
          assert.ok(isWithin(city.bounds, lon, lat), `${where} is out of bounds`)
          assert.ok(isLand.find({ lon, lat }), `${where} is in the water`)
        }
      }
    })

    it('lays zones that neither overlap nor reach into the water', () => {
      const indexes = city.zones.map((zone) => createZoneIndex([zone]))
      const isLand = createZoneIndex([land])
      let [inside, twice, wet] = [0, 0, 0]
      for (const position of gridOf(city)) {
        const count = indexes.filter((index) => index.find(position)).length
        if (count > 0) inside += 1
        if (count > 1) twice += 1
        if (count > 0 && !isLand.find(position)) wet += 1
      }
      assert.ok(inside > 1_000, 'the zones cover a good part of the bounds')
      // A point on a shared border may count for both sides.
      assert.ok(twice / inside < 0.001, `${twice} of ${inside} points are in two zones`)
      assert.ok(wet / inside < 0.002, `${wet} of ${inside} points are in the water`)
    })

    it('gives every zone streets to live in', () => {
      const index = createZoneIndex(city.zones)
      const found = new Set(
        streets.flatMap((street) => samples(street).map(([lon, lat]) => index.find({ lon, lat }))),
      )
      const empty = city.zones.filter(({ id }) => !found.has(id)).map(({ id }) => id)
      assert.deepEqual(empty, [])
    })

    it('puts beaches, parks and quays on land', () => {
      const isLand = createZoneIndex([land])
      for (const feature of ['beach', 'park', 'harbour'].flatMap((layer) => featuresOf(city, layer))) {
        for (const [lon, lat] of pointsOf(feature.geometry)) {
          // A beach ends on the coast line itself, so a point may lie a rounding's width outside.
          const near = [-1, 0, 1].flatMap((x) =>
            [-1, 0, 1].map((y) => [x * SHORE_DEGREES, y * SHORE_DEGREES]),
          )
          const isDry = near.some(([x = 0, y = 0]) => isLand.find({ lon: lon + x, lat: lat + y }))
          assert.ok(isDry, `${labelOf(feature)} is in the water at ${lon},${lat}`)
        }
      }
    })

    it('knows where its landmarks are', () => {
      const index = createZoneIndex(city.zones)
      for (const [name, [lon, lat], zone] of expected?.landmarks ?? [])
        assert.equal(index.find({ lon, lat }), zone, name)
    })
  })
}

describe('the bundled city', () => {
  const text = readFileSync(FOLDER + 'santander.json', 'utf8')

  it('is small enough to ship with every page', () => {
    assert.ok(Buffer.byteLength(text) < 90_000, `${Buffer.byteLength(text)} bytes`)
  })

  it('is one street network, not a pile of lines', () => {
    const lines = featuresOf(readCity('santander.json'), 'street').map(({ geometry }) => pointsOf(geometry))
    assert.deepEqual(countNetworks(lines), 1)
  })
})

function readCity(file: string): City {
  return parseCity(JSON.parse(readFileSync(FOLDER + file, 'utf8')), file)
}

function featuresOf(city: City, layer?: string): SchematicFeature[] {
  if (!city.basemap || !('schematic' in city.basemap)) return []
  return city.basemap.schematic.filter(({ properties }) => !layer || properties.layer === layer)
}

function nameOf(feature: SchematicFeature): string {
  return feature.properties.name ?? ''
}

function labelOf(area: Zone | SchematicFeature): string {
  return 'id' in area ? area.id : `${area.properties.layer} ${nameOf(area)}`
}

/** All points of a geometry, whatever its nesting. */
function pointsOf({ coordinates }: { coordinates: readonly unknown[] }): LonLat[] {
  if (typeof coordinates[0] === 'number') return [coordinates as unknown as LonLat]
  return (coordinates as unknown[][]).flatMap((inner) => pointsOf({ coordinates: inner }))
}

/** Disjoint features as one zone, to ask "is this point on any of them". */
function union(id: string, features: SchematicFeature[]): Zone {
  const coordinates = features.flatMap(({ geometry }) => toPolygons(geometry as ZoneGeometry))
  return { id, name: id, geometry: { type: 'MultiPolygon', coordinates } }
}

/** Points along a line, its own among them. */
function samples({ geometry }: SchematicFeature): LonLat[] {
  const points = pointsOf(geometry)
  return points.flatMap(([lon, lat], i) => {
    const [nextLon, nextLat] = points[i + 1] ?? [lon, lat]
    const steps = Math.max(1, Math.ceil(Math.hypot(nextLon - lon, nextLat - lat) / SAMPLE_DEGREES))
    return Array.from({ length: steps }, (_, step): LonLat => {
      const part = step / steps
      return [lon + (nextLon - lon) * part, lat + (nextLat - lat) * part]
    })
  })
}

function gridOf({ bounds: [west, south, east, north] }: City): { lon: number; lat: number }[] {
  // Half a step off round numbers, so that no point falls on a border drawn with few decimals.
  const at = (from: number, to: number, step: number) => from + ((to - from) * (step + 0.437)) / GRID_STEPS
  const steps = Array.from({ length: GRID_STEPS }, (_, step) => step)
  return steps.flatMap((x) => steps.map((y) => ({ lon: at(west, east, x), lat: at(south, north, y) })))
}

function repeated(names: string[]): string[] {
  return names.filter((name, index) => names.indexOf(name) !== index)
}

/** Two sides of a ring that properly cross, or `null`. */
function findCrossing(ring: readonly LonLat[]): string | null {
  const sides = ring.slice(1).map((to, index) => [ring[index] ?? to, to] as const)
  for (const [i, [a, b]] of sides.entries()) {
    for (const [c, d] of sides.slice(i + 2)) {
      const crosses = turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0
      if (crosses) return `${String(a)}–${String(b)} and ${String(c)}–${String(d)}`
    }
  }
  return null
}

/** Positive when c lies to the left of a → b. */
function turn([ax, ay]: LonLat, [bx, by]: LonLat, [cx, cy]: LonLat): number {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
}

/** How many groups of lines there are that share no point with each other. */
function countNetworks(lines: LonLat[][]): number {
  const remaining = lines.map((line) => new Set(line.map(String)))
  let networks = 0
  for (let reached = remaining.pop(); reached; reached = remaining.pop()) {
    networks += 1
    for (let grew = true; grew;) {
      const known = reached
      const index = remaining.findIndex((line) => [...line].some((point) => known.has(point)))
      grew = index >= 0
      for (const line of grew ? remaining.splice(index, 1) : []) for (const point of line) known.add(point)
    }
  }
  return networks
}
