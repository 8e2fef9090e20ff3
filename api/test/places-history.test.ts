import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY_MS, MINUTE_MS } from '@pulso/model'
import type { AggregatedBucket, AggregatesQuestion } from '@pulso/stores'
import { createCurrentState } from '../src/current/current-state.ts'
import { readFreePoints, toSource } from '../src/places/history.ts'
import { createPlaces } from '../src/places/places.ts'
import { city, kinds, NOON_MS } from './helper.ts'
import { bay, carPark } from './places-support.ts'

const STEP_MS = 5 * MINUTE_MS

/** What a place's past is read from, and what was asked for it. */
async function readPast(
  sensor: ReturnType<typeof bay>,
  rowOf: (timeMs: number) => AggregatedBucket['row'],
  lengthMs: number,
) {
  const clock = { now: () => NOON_MS }
  const current = createCurrentState({ zones: city.zones, kinds, clock })
  current.putSensors([sensor])
  const [place] = createPlaces({ city, current, clock }).list()
  const source = place && toSource(place)
  assert.ok(source)
  const asked: AggregatesQuestion[] = []
  let pauses = 0
  const points = await readFreePoints({
    source,
    aggregates: {
      aggregates(question) {
        asked.push(question)
        const buckets: AggregatedBucket[] = []
        for (let timeMs = question.fromMs; timeMs < question.toMs; timeMs += STEP_MS)
          buckets.push({ fromMs: timeMs, toMs: timeMs + STEP_MS, row: rowOf(timeMs) })
        return Promise.resolve(buckets)
      },
    },
    fromMs: NOON_MS - lengthMs,
    toMs: NOON_MS,
    pause: () => Promise.resolve(void (pauses += 1)),
  })
  return { points, asked, pauses, source }
}

test('a zone was as free as its bays were together, on average over five minutes', async () => {
  const elapsedMs = 10 * STEP_MS
  const rows = new Map<number, AggregatedBucket['row']>([
    [NOON_MS - 3 * STEP_MS, { parts: { status_free_ms: 4.5 * STEP_MS, status_count: 3 }, elapsedMs }],
    [NOON_MS - 2 * STEP_MS, null],
    // All of them taken: nobody held the state.
    [NOON_MS - STEP_MS, { parts: { status_occupied_ms: elapsedMs }, elapsedMs }],
  ])
  const { points, asked } = await readPast(bay('b', 10), (timeMs) => rows.get(timeMs) ?? null, 3 * STEP_MS)
  assert.deepEqual(points, [
    { timeMs: NOON_MS - 2 * STEP_MS, free: 4.5 },
    { timeMs: NOON_MS, free: 0 },
  ])
  assert.deepEqual(asked, [
    {
      kind: 'parking',
      scope: 'zone',
      id: 'west',
      metric: 'status',
      resolution: '5m',
      fromMs: NOON_MS - 3 * STEP_MS,
      toMs: NOON_MS,
    },
  ])
})

test('a car park had what it said last, at the time it said it; weeks are read piece by piece', async () => {
  const name = 'availableSpotNumber'
  const { points, asked, pauses, source } = await readPast(
    carPark('g', 10),
    (timeMs) =>
      timeMs % (60 * MINUTE_MS) === 0
        ? { parts: { [`${name}_last`]: 7, [`${name}_last_at`]: timeMs + 1 }, elapsedMs: 0 }
        : null,
    5 * DAY_MS,
  )
  assert.equal(points.length, 5 * 24)
  assert.deepEqual(points.at(-1), { timeMs: NOON_MS - 60 * MINUTE_MS + 1, free: 7 })
  assert.deepEqual([asked.length, pauses], [3, 3])
  assert.deepEqual([asked[0]?.scope, asked[0]?.id, asked[0]?.metric], ['sensor', 'g', name])
  assert.ok(asked.every(({ fromMs, toMs }) => (toMs - fromMs) / STEP_MS < 1_000))
  // As long as people see it as fresh.
  assert.equal(source.holdMs, 60 * MINUTE_MS)
})
