import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DAY_MS, HOUR_MS, MINUTE_MS, type Sensor, type SensorState } from '@pulso/model'
import { createCurrentState } from '../src/current/current-state.ts'
import { distanceBetween, type Near } from '../src/places/grid.ts'
import { tallyOf } from '../src/places/place.ts'
import { createPlaces, type PlacesQuestion } from '../src/places/places.ts'
import { toTrend } from '../src/places/trend.ts'
import { city, kinds, NOON_MS, toSensor, WEST } from './helper.ts'
import { bay, bayIs, carPark, carParkHas } from './places-support.ts'

const QUESTION: PlacesQuestion = {
  from: WEST,
  limit: 5,
  kinds: undefined,
  attributes: [],
  includeFull: false,
}

/** A city's present without a server: each change is a tick. */
function createCity(sensors: readonly Sensor[], states: readonly SensorState[] = []) {
  const clock = { nowMs: NOON_MS, now: () => clock.nowMs }
  const current = createCurrentState({ zones: city.zones, kinds, clock })
  const places = createPlaces({ city, current, clock })
  const change = (newSensors: readonly Sensor[], newStates: readonly SensorState[]): void => {
    current.putSensors(newSensors)
    current.applyStates(newStates)
    current.sweep()
    current.takeChanges()
  }
  change(sensors, states)
  return { clock, places, change }
}

const nameOf = ({ place }: Near) => place.sensorId ?? place.zone

test('a place is as far as its nearest free sensor, and full ones between do not count', () => {
  const { places, change } = createCity(
    [bay('full', 50), bay('free', 300), bay('far', 900), carPark('garage', 500)],
    [bayIs('full', 'occupied'), bayIs('free', 'free'), bayIs('far', 'free'), carParkHas('garage', 12)],
  )
  const found = (): unknown[] =>
    places.find(QUESTION).map((near) => [nameOf(near), Math.round(near.distanceM), tallyOf(near.place).free])
  assert.deepEqual(found(), [
    ['west', 300, 2],
    ['garage', 500, 12],
  ])
  change([], [bayIs('free', 'occupied', NOON_MS + 1)])
  assert.deepEqual(found(), [
    ['garage', 500, 12],
    ['west', 900, 1],
  ])
})

test('full, closed and unknown places come last, and only when asked for', () => {
  const { places } = createCity(
    [bay('b', 900), carPark('full', 100), carPark('silent', 50), carPark('shut', 70)],
    [bayIs('b', 'free'), carParkHas('full', 0), carParkHas('shut', 40, { status: 'closed' })],
  )
  assert.deepEqual(places.find(QUESTION).map(nameOf), ['west'])
  const all = places.find({ ...QUESTION, includeFull: true })
  assert.deepEqual(
    all.map((near) => [nameOf(near), tallyOf(near.place).free]),
    [
      ['west', 1],
      ['shut', 0],
      ['full', 0],
      ['silent', null],
    ],
  )
})

test('a bay that is offline or unknown is never free, and time alone makes it so', () => {
  const { places, clock, change } = createCity(
    [bay('a', 10), bay('b', 20), carPark('old', 30), carPark('new', 2_000)],
    [
      bayIs('a', 'free'),
      bayIs('b', 'unknown'),
      carParkHas('old', 50, { timeMs: NOON_MS - 2 * HOUR_MS }),
      carParkHas('new', 1),
    ],
  )
  const fresh = places.find(QUESTION)
  assert.deepEqual(
    fresh.map((near) => [nameOf(near), tallyOf(near.place).freshness]),
    [
      ['west', 'fresh'],
      ['new', 'fresh'],
      ['old', 'stale'],
    ],
  )
  clock.nowMs += DAY_MS
  change([], [])
  assert.deepEqual(places.find(QUESTION), [])
  const west = places.find({ ...QUESTION, includeFull: true }).find((near) => nameOf(near) === 'west')
  assert.ok(west)
  const { free, total, freshness } = tallyOf(west.place)
  assert.deepEqual([free, total, freshness], [null, 2, 'offline'])
})

test('attributes narrow a zone down to those of its sensors that have them', () => {
  const { places } = createCity(
    [bay('any', 100), bay('wide', 700, { accessible: true, maxStay: 120 })],
    [bayIs('any', 'free'), bayIs('wide', 'free')],
  )
  const attributes = [
    { name: 'accessible', value: 'true' },
    { name: 'maxStay', value: '120' },
  ]
  const [near] = places.find({ ...QUESTION, attributes })
  assert.ok(near)
  assert.deepEqual([Math.round(near.distanceM), tallyOf(near.place).total], [700, 1])
  for (const name of ['charging', 'constructor', '__proto__'])
    assert.deepEqual(places.find({ ...QUESTION, attributes: [{ name, value: 'true' }] }), [])
})

test('a moved sensor is looked for at its new place after a moment', () => {
  const { places, clock, change } = createCity([carPark('garage', 100)], [carParkHas('garage', 5)])
  assert.equal(places.find(QUESTION).length, 1)
  change([carPark('garage', 400)], [])
  clock.nowMs += 10_000
  assert.equal(Math.round(places.find(QUESTION)[0]?.distanceM ?? 0), 400)
})

test('finds what looking at every sensor finds', () => {
  const spot = fc.record({
    kind: fc.constantFrom('parking', 'carpark'),
    lat: fc.double({ min: 43.38, max: 43.52, noNaN: true }),
    lon: fc.double({ min: -3.95, max: -3.65, noNaN: true }),
    free: fc.boolean(),
  })
  const question = fc.record({
    lat: fc.double({ min: 43.35, max: 43.55, noNaN: true }),
    lon: fc.double({ min: -4, max: -3.6, noNaN: true }),
    limit: fc.integer({ min: 1, max: 8 }),
  })
  fc.assert(
    fc.property(fc.array(spot, { maxLength: 60 }), question, (spots, { limit, ...from }) => {
      const sensors = spots.map(({ kind, lat, lon }, index) =>
        toSensor(`s${index}`, { kind, position: { lat, lon } }),
      )
      const statesOf = (timeMs: number, isTrue: (index: number) => boolean): SensorState[] =>
        spots.map(({ kind, free }, index) => {
          const isFree = free === isTrue(index)
          return kind === 'parking'
            ? bayIs(`s${index}`, isFree ? 'free' : 'occupied', timeMs)
            : carParkHas(`s${index}`, isFree ? 3 : 0, { timeMs })
        })
      // First a part of it is the other way round, so that most is counted by its changes.
      const { places, change } = createCity(
        sensors,
        statesOf(NOON_MS - 1, (index) => index % 3 === 0),
      )
      places.list()
      change(
        [],
        statesOf(NOON_MS, () => true),
      )
      const found = places.find({ ...QUESTION, from, limit }).map((near) => [nameOf(near), near.distanceM])

      const nearest = new Map<string, number>()
      for (const place of places.list()) {
        for (const { sensor } of place.members) {
          const index = Number(sensor.id.slice(1))
          if (!spots[index]?.free || !sensor.position) continue
          const distanceM = distanceBetween(from, sensor.position)
          const key = place.sensorId ?? place.zone ?? ''
          if (distanceM <= 5_000) nearest.set(key, Math.min(distanceM, nearest.get(key) ?? Infinity))
        }
      }
      const expected = [...nearest].sort((a, b) => a[1] - b[1]).slice(0, limit)
      assert.equal(found.length, expected.length)
      for (const place of places.list()) {
        const free = place.members.map(({ sensor }) => (spots[Number(sensor.id.slice(1))]?.free ? 1 : 0))
        const count = free.reduce((sum: number, one) => sum + one, 0)
        assert.equal(tallyOf(place).free, place.sensorId === null ? count : count * 3)
      }
      // Which of two bays a metre apart is nearer may differ between a plane and a sphere.
      found.forEach(([, distanceM], index) =>
        assert.ok(Math.abs(Number(distanceM) - (expected[index]?.[1] ?? NaN)) < 5),
      )
    }),
    { numRuns: 60 },
  )
})

test('the great circle is that of known distances', () => {
  // Santander to Bilbao, and half around the equator.
  const metres = distanceBetween({ lat: 43.4623, lon: -3.81 }, { lat: 43.263, lon: -2.935 })
  assert.ok(Math.abs(metres - 74_200) < 300, `${metres}`)
  assert.ok(Math.abs(distanceBetween({ lat: 0, lon: 0 }, { lat: 0, lon: 180 }) - Math.PI * 6_371_008.8) < 1)
})

test('a trend compares with 15 to 30 minutes ago, and is not claimed before', () => {
  const { places, clock, change } = createCity([carPark('garage', 100)], [carParkHas('garage', 50)])
  const trend = () => {
    const [near] = places.find(QUESTION)
    assert.ok(near)
    const { free, total } = tallyOf(near.place)
    return toTrend(places.samplesOf(near.place.key), { free, total, nowMs: clock.nowMs })
  }
  const pass = (minutes: number, free: number): void => {
    clock.nowMs += minutes * MINUTE_MS
    change([], [carParkHas('garage', free, { timeMs: clock.nowMs })])
    places.sample()
  }
  const trends = [50, 49, 48, 47, 46, 46, 46, 46, 46, 46, 52, 58].map((free) => {
    pass(5, free)
    return trend()
  })
  const falling = 'falling'
  assert.deepEqual(trends, [
    ...[null, null, null],
    ...[falling, falling, falling, falling, falling],
    ...['steady', 'steady'],
    ...['rising', 'rising'],
  ])
  clock.nowMs += 2 * HOUR_MS
  change([], [])
  assert.equal(trend(), null)
})

test('what was free before the start makes a trend at once, and notes of this run stay', () => {
  const { places } = createCity([carPark('garage', 100)], [carParkHas('garage', 50)])
  places.sample()
  const key = places.list()[0]?.key ?? ''
  places.recall(
    key,
    [25, 20, 15, 10, 4, 3].map((minutes) => ({ timeMs: NOON_MS - minutes * MINUTE_MS, free: 90 - minutes })),
  )
  const samples = places.samplesOf(key)
  assert.deepEqual(
    samples.map(({ timeMs }) => (NOON_MS - timeMs) / MINUTE_MS),
    [25, 20, 15, 10, 4],
  )
  assert.equal(toTrend(samples, { free: 50, total: 100, nowMs: NOON_MS }), 'falling')
})
