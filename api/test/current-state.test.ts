import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCurrentState, type CurrentState } from '../src/current/current-state.ts'
import { toDetail, toFeature } from '../src/current/features.ts'
import { bins, city, EAST, kinds, NOON_MS, OUTSIDE, toSensor, toState, type TestClock } from './helper.ts'

function createCity(): { current: CurrentState; clock: TestClock } {
  const clock = { nowMs: NOON_MS, now: () => clock.nowMs }
  return { current: createCurrentState({ zones: city.zones, kinds, clock }), clock }
}

const stands = (current: CurrentState, id: string): unknown => current.get(id)?.stands

test('a sensor that nobody has heard of is unknown and offline', () => {
  const { current, clock } = createCity()
  current.putSensors([toSensor('a')])
  const { properties } = toFeature(current.list()[0] ?? assert.fail(), clock.now())
  assert.deepEqual(properties, {
    id: 'a',
    kind: 'bins',
    name: null,
    zone: 'west',
    state: 'unknown',
    freshness: 'offline',
    time: null,
    values: {},
  })
})

test('a newer or equal state replaces the known one, an older one does not', () => {
  const { current } = createCity()
  current.putSensors([toSensor('a')])
  current.applyStates([toState('a', { fillLevel: 0.1 })])
  current.applyStates([toState('a', { fillLevel: 0.9 }, { timeMs: NOON_MS - 1 })])
  assert.equal(stands(current, 'a'), 'empty')
  current.applyStates([toState('a', { fillLevel: 0.9 })])
  assert.equal(stands(current, 'a'), 'full')
})

test('states read at start never replace one that came in meanwhile', () => {
  const { current } = createCity()
  current.applyStates([
    toState('a', { fillLevel: 0.9 }),
    toState('c', { fillLevel: 0.9 }, { timeMs: NOON_MS - 1 }),
  ])
  const stored = ['a', 'b', 'c'].map((id) => toState(id, { fillLevel: 0.1 }))
  current.load([toSensor('a'), toSensor('b'), toSensor('c')], stored)
  assert.equal(stands(current, 'a'), 'full')
  assert.equal(stands(current, 'b'), 'empty')
  assert.equal(stands(current, 'c'), 'empty', 'what is stored is newer')
})

test('a state waits for its sensor when it comes first', () => {
  const { current } = createCity()
  assert.deepEqual(current.applyStates([toState('a', { fillLevel: 0.9 })]), { waiting: 1, dropped: 0 })
  current.putSensors([toSensor('a')])
  assert.equal(stands(current, 'a'), 'full')
})

test('sensors of a kind that nobody knows are passed over by name', () => {
  const { current } = createCity()
  assert.deepEqual(current.putSensors([toSensor('a', { kind: 'trams' }), toSensor('b')]), ['a'])
  assert.equal(current.list().length, 1)
})

test('a sensor becomes stale, then offline and unknown, though nothing arrives', () => {
  const { current, clock } = createCity()
  current.putSensors([toSensor('a')])
  current.applyStates([toState('a', { fillLevel: 0.9 })])
  current.takeChanges()
  const freshness = (): unknown => current.get('a')?.freshness

  clock.nowMs = NOON_MS + 2 * bins.intervalMs
  current.sweep()
  assert.equal(freshness(), 'fresh')
  assert.equal(current.takeChanges(), undefined)

  clock.nowMs += 1_000
  current.sweep()
  assert.equal(freshness(), 'stale')
  assert.equal(stands(current, 'a'), 'full')
  assert.equal(current.takeChanges()?.entries.length, 1)

  clock.nowMs = NOON_MS + 10 * bins.intervalMs + 1_000
  current.sweep()
  assert.equal(freshness(), 'offline')
  assert.equal(stands(current, 'a'), 'unknown')
  assert.equal(current.takeChanges()?.groups.length, 2)
})

test('a new reading puts the end of freshness off', () => {
  const { current, clock } = createCity()
  current.putSensors([toSensor('a')])
  for (let minute = 0; minute < 30; minute++) {
    clock.nowMs = NOON_MS + minute * bins.intervalMs
    current.applyStates([toState('a', { fillLevel: 0.9 }, { timeMs: clock.nowMs })])
    current.sweep()
    assert.equal(current.get('a')?.freshness, 'fresh')
  }
  clock.nowMs += 2 * bins.intervalMs + 1_000
  current.sweep()
  assert.equal(current.get('a')?.freshness, 'stale')
})

test('a sensor that reports more seldom than its kind keeps its own time', () => {
  const { current, clock } = createCity()
  current.putSensors([toSensor('a', { attributes: { intervalMs: 3_600_000 } })])
  current.applyStates([toState('a', { fillLevel: 0.9 })])
  clock.nowMs = NOON_MS + 2 * 3_600_000
  current.sweep()
  assert.equal(current.get('a')?.freshness, 'fresh')
})

test('a value leaves when it is offline itself, while the sensor goes on with others', () => {
  const { current, clock } = createCity()
  current.putSensors([toSensor('a')])
  const old = { value: 0.9, timeMs: NOON_MS - 9 * bins.intervalMs }
  const state = toState('a', { volume: 100 })
  current.applyStates([{ ...state, values: { ...state.values, fillLevel: old } }])
  const feature = (): unknown => toFeature(current.get('a') ?? assert.fail(), clock.now()).properties.values
  assert.deepEqual(feature(), { volume: 100, fillLevel: 0.9 })
  clock.nowMs += bins.intervalMs + 1_000
  current.sweep()
  assert.deepEqual(feature(), { volume: 100 })
  assert.equal(stands(current, 'a'), 'unknown')
  const { metrics } = toDetail(current.get('a') ?? assert.fail(), clock.now()).properties
  assert.equal(metrics.fillLevel?.freshness, 'offline')
})

test('what a device says of itself stays inside', () => {
  const { current, clock } = createCity()
  current.putSensors([toSensor('a')])
  current.applyStates([toState('a', { fillLevel: 0.2, batteryLevel: 0.5, rssi: -90 })])
  const detail = toDetail(current.get('a') ?? assert.fail(), clock.now())
  assert.deepEqual(Object.keys(detail.properties.metrics), ['fillLevel'])
  assert.deepEqual(Object.keys(detail.properties.values), ['fillLevel'])
})

test('a moved sensor changes its zone and both zones’ sums', () => {
  const { current } = createCity()
  current.putSensors([toSensor('a'), toSensor('b', { position: EAST })])
  current.takeChanges()
  current.putSensors([toSensor('a', { position: EAST })])
  const changes = current.takeChanges() ?? assert.fail()
  assert.equal(current.get('a')?.zone, 'east')
  assert.deepEqual(
    changes.groups.map(({ zone, view }) => [zone, view.sensors]),
    [
      ['west', 0],
      ['east', 2],
    ],
  )
})

test('sensors outside every zone count in the city alone', () => {
  const { current } = createCity()
  current.putSensors([toSensor('a'), toSensor('b', { position: OUTSIDE }), toSensor('c', { position: null })])
  const { zones, city: sums } = current.groups()
  assert.deepEqual(
    zones.map(({ zone, view }) => [zone, view.sensors]),
    [['west', 1]],
  )
  assert.equal(sums.find(({ kind }) => kind.id === 'bins')?.view.sensors, 3)
})

test('changes since a tick hold each sensor once, however often it changed', () => {
  const { current } = createCity()
  current.putSensors([toSensor('a'), toSensor('b'), toSensor('c')])
  const first = current.takeChanges()?.sequence ?? assert.fail()
  for (const fillLevel of [0.1, 0.2, 0.3]) {
    current.applyStates([toState('a', { fillLevel }), toState('b', { fillLevel })])
    current.takeChanges()
  }
  const { entries, sequence } = current.changesSince(first)
  assert.deepEqual(entries.map(({ sensor }) => sensor.id).sort(), ['a', 'b'])
  assert.equal(sequence, first + 3)
  assert.equal(current.changesSince(sequence).entries.length, 0)
})

test('a zone whose sums stayed the same is no change', () => {
  const { current } = createCity()
  current.putSensors([toSensor('a')])
  current.applyStates([toState('a', { fillLevel: 0.1 })])
  current.takeChanges()
  current.applyStates([toState('a', { fillLevel: 0.1 })])
  assert.equal(current.takeChanges()?.groups.length, 0)
})

test('sensors are listed by id in whatever order they came', () => {
  const { current } = createCity()
  current.putSensors([toSensor('b'), toSensor('a')])
  current.list()
  current.putSensors([toSensor('B'), toSensor('aa')])
  assert.deepEqual(
    current.list().map(({ sensor }) => sensor.id),
    ['B', 'a', 'aa', 'b'],
  )
})

test('a clock that is set back makes young again what it had called old, and goes on from there', () => {
  const { current, clock } = createCity()
  current.putSensors([toSensor('a')])
  current.applyStates([toState('a', { fillLevel: 0.9 })])
  const freshness = (): unknown => current.get('a')?.freshness
  clock.nowMs = NOON_MS + 20 * bins.intervalMs
  current.sweep()
  assert.equal(freshness(), 'offline')
  current.takeChanges()

  clock.nowMs = NOON_MS + bins.intervalMs
  current.sweep()
  assert.equal(freshness(), 'fresh')
  assert.equal(stands(current, 'a'), 'full')
  assert.equal(current.takeChanges()?.entries.length, 1, 'and readers hear of it')

  clock.nowMs = NOON_MS + 2 * bins.intervalMs + 1_000
  current.sweep()
  assert.equal(freshness(), 'stale')
  clock.nowMs = NOON_MS + 10 * bins.intervalMs + 1_000
  current.sweep()
  assert.equal(freshness(), 'offline')
})

test('a clock that is set back lets no older state over a newer one', () => {
  const { current, clock } = createCity()
  current.putSensors([toSensor('a')])
  current.applyStates([toState('a', { fillLevel: 0.9 }, { timeMs: NOON_MS + 60_000 })])
  clock.nowMs = NOON_MS - 3_600_000
  current.applyStates([toState('a', { fillLevel: 0.1 }, { timeMs: clock.nowMs })])
  assert.equal(stands(current, 'a'), 'full')
})

test('each kind has its own time until it is stale', () => {
  const { current, clock } = createCity()
  current.putSensors([toSensor('a'), toSensor('p', { kind: 'parking' })])
  current.applyStates([
    toState('a', { fillLevel: 0.9 }),
    toState('p', { status: 'free' }, { kind: 'parking' }),
  ])
  clock.nowMs = NOON_MS + 2 * bins.intervalMs + 1_000
  current.sweep()
  assert.equal(current.get('a')?.freshness, 'stale')
  assert.equal(current.get('p')?.freshness, 'fresh')
})

test('a sensor that moves twice within a tick is told from where readers saw it last', () => {
  const { current } = createCity()
  current.putSensors([toSensor('a')])
  const { sequence } = current.takeChanges() ?? assert.fail()
  current.putSensors([toSensor('a', { position: EAST })])
  current.putSensors([toSensor('a', { position: OUTSIDE })])
  const { previousPosition, movedAt } = current.get('a') ?? assert.fail()
  assert.deepEqual(previousPosition, toSensor('a').position)
  assert.equal(movedAt, sequence + 1)
})

test('changes since a tick are the same whether the tick is remembered or long ago', () => {
  const { current } = createCity()
  const ids = Array.from({ length: 50 }, (_, index) => `s${index}`)
  current.putSensors(ids.map((id) => toSensor(id)))
  current.takeChanges()
  const since = current.sequence
  const changed = new Set<string>()
  // More ticks than are remembered.
  for (let round = 1; round <= 1_200; round++) {
    const id = ids[(round * round) % 37] ?? assert.fail()
    current.applyStates([toState(id, { fillLevel: (round % 100) / 100 }, { timeMs: NOON_MS + round })])
    changed.add(id)
    current.takeChanges()
  }
  const idsSince = (sequence: number): string[] =>
    current
      .changesSince(sequence)
      .entries.map(({ sensor }) => sensor.id)
      .sort()
  assert.deepEqual(idsSince(since), [...changed].sort())
  const last = [1_198, 1_199, 1_200].map((round) => ids[(round * round) % 37] ?? assert.fail())
  assert.deepEqual(idsSince(current.sequence - 3), [...new Set(last)].sort())
})
