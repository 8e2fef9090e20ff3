import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KindView, LiveEvent, SensorFeature, ZoneAggregate } from '@pulso/model'
import { createFormat } from '../src/shared/format.ts'
import { toFirstReading } from '../src/citizen/first-reading.ts'
import {
  aggregateKey,
  applyDelta,
  applySnapshot,
  EMPTY_STATE,
  listSensors,
} from '../src/citizen/live-state.ts'
import { findLabelPoint, prepareSchematic, type Schematic } from '../src/citizen/map/basemap.ts'
import { typicalSpacingM } from '../src/citizen/map/sensor-layers.ts'
import { restAt, toSheetHeights } from '../src/citizen/sheet.ts'
import { toBarShares, toFigureTexts, toHeadline } from '../src/citizen/summary.ts'
import { countTabColumns } from '../src/citizen/tab-columns.ts'
import { findValueState, toWords } from '../src/citizen/values.ts'
import { parseViewAddress, writePosition } from '../src/citizen/view-address.ts'

const same = (text: string) => ({ en: text, es: text, fr: text })

/** Made up, so that no real kind's rules can be relied on. */
const bins: KindView = {
  id: 'bins',
  title: same('Bin'),
  plural: same('Bins'),
  metrics: [
    {
      id: 'fill',
      type: 'number',
      title: same('Fill'),
      unit: '1',
      percent: true,
      symbol: '%',
      decimals: 0,
      min: 0,
      max: 1,
    },
  ],
  states: [
    { id: 'empty', title: same('Empty'), colour: '#009E73', symbol: '●' },
    { id: 'full', title: same('Full'), colour: '#D55E00', symbol: '■' },
    { id: 'mute', title: same('Says nothing'), colour: '#B4BCC4', symbol: '–', noVerdict: true },
    { id: 'unknown', title: same('Unknown'), colour: '#8A949E', symbol: '?' },
  ],
  figures: [{ id: 'fill', title: same('%'), metric: 'fill' }],
  headlineMetric: 'fill',
  intervalMs: 60_000,
}

function sum(states: Record<string, number>, figures: Record<string, number | null> = {}): ZoneAggregate {
  const sensors = Object.values(states).reduce((one, other) => one + other, 0)
  const freshness = { fresh: sensors, stale: 0, offline: 0 }
  return { zone: 'old-town', kind: 'bins', sensors, states, freshness, figures, time: null }
}

function sensor(id: string, state: string, kind = 'bins'): SensorFeature {
  const properties = {
    id,
    kind,
    name: null,
    zone: 'old-town',
    state,
    freshness: 'fresh' as const,
    time: null,
    values: {},
  }
  return { type: 'Feature', id, geometry: null, properties }
}

function event(sensors: SensorFeature[], zones: ZoneAggregate[] = []): LiveEvent {
  return { time: '2026-06-01T12:00:00.000Z', sensors, zones, city: [] }
}

test('tells a zone by its worst state, passing over those that say nothing', () => {
  const headline = toHeadline(bins, sum({ empty: 5, full: 1, mute: 2, unknown: 3 }))
  assert.ok(headline.type === 'state')
  assert.equal(headline.state.id, 'full')
  assert.equal(headline.common.id, 'empty')
  const silent = toHeadline(bins, sum({ mute: 1, unknown: 1 }))
  assert.ok(silent.type === 'state' && silent.state.id === 'mute')
})

test('tells a part of a whole where the second figure is the total', () => {
  const counted = {
    ...bins,
    figures: [
      { id: 'free', title: same('free') },
      { id: 'total', title: same('bins') },
    ],
  }
  const headline = toHeadline(counted, sum({ empty: 2 }, { free: null, total: 2 }))
  assert.ok(headline.type === 'share')
  assert.deepEqual([headline.part, headline.whole], [null, 2])
  assert.equal(toHeadline(counted, sum({})).type, 'nothing')
})

test('names a figure that is titled by its unit after its metric', () => {
  const words = { format: createFormat('en'), language: 'en' as const }
  assert.deepEqual(toFigureTexts(bins, sum({ empty: 1 }, { fill: 0.4 }), words), [
    { id: 'fill', title: 'Fill', text: '40 %' },
  ])
  assert.deepEqual(toFigureTexts(bins, sum({ empty: 1 }, { fill: null }), words), [])
})

test('a snapshot forgets the sensors of its kind that it leaves out, and only those', () => {
  const first = applySnapshot(EMPTY_STATE, event([sensor('a', 'empty'), sensor('b', 'full')]), 'bins')
  const other = applySnapshot(first, event([sensor('x', 'on', 'lamps')]), 'lamps')
  const again = applySnapshot(other, event([sensor('b', 'empty')]), 'bins')
  assert.deepEqual([...again.sensors.keys()].sort(), ['b', 'x'])
})

test('a delta replaces what it names and keeps the rest', () => {
  const first = applySnapshot(EMPTY_STATE, event([sensor('a', 'empty'), sensor('b', 'full')]), 'bins')
  const next = applyDelta(first, event([sensor('a', 'full')], [sum({ full: 2 })]))
  assert.equal(next.sensors.get('a')?.properties.state, 'full')
  assert.equal(next.sensors.get('b'), first.sensors.get('b'))
  assert.equal(next.aggregates.get(aggregateKey('bins', 'old-town'))?.states.full, 2)
  assert.equal(first.sensors.get('a')?.properties.state, 'empty')
})

test('lists sensors as people count: 2 before 10', () => {
  const state = applySnapshot(
    EMPTY_STATE,
    event(['bin-10', 'bin-2'].map((id) => sensor(id, 'empty'))),
    'bins',
  )
  const listed = listSensors(state, { kind: 'bins', zone: 'old-town' })
  assert.deepEqual(
    listed.map(({ id }) => id),
    ['bin-2', 'bin-10'],
  )
  assert.equal(listSensors(state, { kind: 'bins', zone: null }).length, 0)
})

test('a permalink survives being written and read; nonsense in it is left out', () => {
  const at = { lat: 43.4628, lon: -3.805, zoom: 16.2 }
  assert.deepEqual(parseViewAddress(`?kind=bins&zone=old-town&at=${writePosition(at)}`), {
    kind: 'bins',
    zone: 'old-town',
    sensor: null,
    at,
  })
  for (const nonsense of ['1,2', '1,,3', '95,0,3', '0,0,99', 'a,b,c'])
    assert.equal(parseViewAddress(`?at=${nonsense}`).at, null, nonsense)
})

test('the sheet rests at the nearest height, and follows a flick', () => {
  const heights = toSheetHeights(844, 16)
  const [peek, half, full] = heights
  assert.ok(peek < half && half < full)
  assert.equal(restAt(heights, half + 20, 0), 1)
  assert.equal(restAt(heights, half + 20, 1), 2)
  assert.equal(restAt(heights, half - 20, -1), 0)
})

test('tabs keep their words whole in even rows', () => {
  const short = ['Parking spaces', 'Car parks', 'Street lamps', 'Air and noise']
  const long = ['Plazas de aparcamiento', 'Aparcamientos', 'Farolas', 'Aire y ruido']
  assert.equal(countTabColumns(short, { widthPx: 366, fontPx: 13 }), 4)
  assert.equal(countTabColumns(long, { widthPx: 366, fontPx: 13 }), 2)
  assert.equal(countTabColumns(long, { widthPx: 60, fontPx: 26 }), 1)
})

test('puts a district’s badge inside it, also where its middle lies outside', () => {
  const ring = [
    [0, 0],
    [10, 0],
    [10, 2],
    [2, 2],
    [2, 10],
    [0, 10],
    [0, 0],
  ]
  const [x, y] = findLabelPoint({ type: 'Polygon', coordinates: [ring] }) ?? [NaN, NaN]
  assert.ok((x > 0 && x < 2 && y > 0 && y < 10) || (y > 0 && y < 2 && x > 0 && x < 10))
})

test('writes a place off the land like water, and leaves out what a district’s badge says', () => {
  const square = [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]] // prettier-ignore
  const place = (name: string, at: [number, number]): Schematic['features'][number] => ({
    type: 'Feature',
    properties: { layer: 'place', name },
    geometry: { type: 'Point', coordinates: at },
  })
  const schematic: Schematic = {
    type: 'FeatureCollection',
    features: [
      { type: 'Feature', properties: { layer: 'land' }, geometry: { type: 'Polygon', coordinates: square } },
      place('Bay', [2, 2]),
      place('Town hall', [0.5, 0.5]),
      place('Old Town', [0.2, 0.2]),
    ],
  }
  const places = prepareSchematic(schematic, new Set(['Old Town'])).features.slice(1)
  assert.deepEqual(
    places.map(({ properties }) => [properties.name, properties.wet]),
    [
      ['Bay', true],
      ['Town hall', false],
    ],
  )
})

test('knows the usual distance between neighbours', () => {
  const row = Array.from({ length: 50 }, (_, index) => [index * 0.0001, 0] as const)
  assert.ok(Math.abs(typicalSpacingM(row) - 11.1) < 0.2)
})

test('shows a state metric’s own words where no legend has them', () => {
  assert.equal(toWords('bootingUp'), 'Booting up')
  assert.equal(findValueState(bins, { id: 's', type: 'state', title: same('S') }, 'full').colour, '#D55E00')
  const values = ['open', 'shut']
  assert.equal(
    findValueState(bins, { id: 's', type: 'state', title: same('S'), values }, 'shut').title.en,
    'Shut',
  )
})

test('a first reading has a value that its metric allows', () => {
  const city = { bounds: [-4, 43, -3, 44] as [number, number, number, number] }
  const text = toFirstReading(bins, { city: { ...emptyCity, ...city }, host: 'pulso.example' })
  assert.match(text, /device add bins-1 --kind bins --lat 43\.5000 --lon -3\.5000/)
  assert.match(text, /-t pulso\/bins\/bins-1\/telemetry -m '\{"fill":0\.5\}'/)
})

const emptyCity = {
  name: 'Somewhere',
  timeZone: 'UTC',
  languages: ['en'],
  attribution: null,
  kinds: [bins],
  zones: [],
  basemap: null,
  clock: { pastMs: 0, futureMs: 0 },
}

test('a bar shows counted spaces where sensors count them, not how many counters stand how', () => {
  const garages: KindView = {
    ...bins,
    figures: [
      { id: 'free', title: same('free'), metric: 'fill' },
      { id: 'total', title: same('spaces'), metric: 'fill' },
    ],
  }
  const shares = toBarShares(garages, sum({ empty: 2 }, { free: 25, total: 100 }))
  assert.deepEqual(
    shares.map(({ state, share }) => [state.id, share]),
    [['empty', 0.25]],
  )
  assert.deepEqual(toBarShares(garages, sum({ full: 2 }, { free: 0, total: 100 })), [])
  assert.equal(toBarShares(bins, sum({ empty: 1, full: 1 })).length, 2)
})
