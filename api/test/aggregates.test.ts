import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sensor, SensorState, ZoneAggregate } from '@pulso/model'
import { createCurrentState } from '../src/current/current-state.ts'
import { city, EAST, kinds, NOON_MS, toSensor, toState } from './helper.ts'

function sumsOf(kind: string, sensors: readonly Sensor[], states: readonly SensorState[]): ZoneAggregate {
  const current = createCurrentState({ zones: city.zones, kinds, clock: { now: () => NOON_MS } })
  current.putSensors(sensors)
  current.applyStates(states)
  return current.groups().city.find((group) => group.kind.id === kind)?.view ?? assert.fail()
}

const LONG_AGO_MS = NOON_MS - 86_400_000

test('figures count, add up and average what is known', () => {
  const sums = sumsOf(
    'bins',
    [toSensor('a'), toSensor('b'), toSensor('c', { position: EAST })],
    [
      toState('a', { fillLevel: 0.9, volume: 100 }),
      toState('b', { fillLevel: 0.2, volume: 50.5 }),
      toState('c', { fillLevel: 0.1 }, { timeMs: NOON_MS - 1_000 }),
    ],
  )
  assert.deepEqual(sums, {
    zone: null,
    kind: 'bins',
    sensors: 3,
    states: { empty: 2, full: 1, unknown: 0 },
    freshness: { fresh: 3, stale: 0, offline: 0 },
    figures: { full: 1, fill: 0.4, volume: 150.5, total: 3 },
    time: '2026-05-31T12:00:00.000Z',
  })
})

test('offline sensors count in the total alone', () => {
  const { figures, freshness, states } = sumsOf(
    'bins',
    [toSensor('a'), toSensor('b')],
    [
      toState('a', { fillLevel: 0.9, volume: 100 }),
      toState('b', { fillLevel: 0.9, volume: 100 }, { timeMs: LONG_AGO_MS }),
    ],
  )
  assert.deepEqual(figures, { full: 1, fill: 0.9, volume: 100, total: 2 })
  assert.deepEqual(freshness, { fresh: 1, stale: 0, offline: 1 })
  assert.equal(states.unknown, 1)
})

test('a figure is null, not 0, where nothing is known', () => {
  const { figures, time } = sumsOf('bins', [toSensor('a')], [])
  assert.deepEqual(figures, { full: null, fill: null, volume: null, total: 1 })
  assert.equal(time, null)
})

test('a value that is offline itself is not added up', () => {
  const state = toState('a', { volume: 7 })
  const values = { ...state.values, fillLevel: { value: 0.9, timeMs: LONG_AGO_MS } }
  const { figures } = sumsOf('bins', [toSensor('a')], [{ ...state, values }])
  assert.deepEqual(figures, { full: 0, fill: null, volume: 7, total: 1 })
})

test('a car park’s capacity stands in until it sends its own, and holds while it is offline', () => {
  const park = (id: string): Sensor =>
    toSensor(id, { kind: 'carpark', attributes: { totalSpotNumber: 100, availableSpotNumber: 5 } })
  const state = (id: string, values: Record<string, number>, timeMs = NOON_MS): SensorState =>
    toState(id, values, { kind: 'carpark', timeMs })
  const { figures } = sumsOf(
    'carpark',
    [park('silent'), park('plain'), park('own'), park('old')],
    [
      state('plain', { availableSpotNumber: 30 }),
      state('own', { availableSpotNumber: 20, totalSpotNumber: 250 }),
      state('old', { availableSpotNumber: 10, totalSpotNumber: 80 }, LONG_AGO_MS),
    ],
  )
  assert.deepEqual(figures, { free: 50, total: 100 + 100 + 250 + 80 })
})

test('a total is not told when a capacity is missing, for it would be less than what is free of it', () => {
  const { figures } = sumsOf(
    'carpark',
    [
      toSensor('known', { kind: 'carpark', attributes: { totalSpotNumber: 100 } }),
      toSensor('other', { kind: 'carpark' }),
    ],
    [
      toState('known', { availableSpotNumber: 30 }, { kind: 'carpark' }),
      toState('other', { availableSpotNumber: 500 }, { kind: 'carpark' }),
    ],
  )
  assert.deepEqual(figures, { free: 530, total: null })
})
