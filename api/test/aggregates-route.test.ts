import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOUR_MS, MINUTE_MS, type AggregatesView, type HistoryBuckets, type Problem } from '@pulso/model'
import type { AggregatedBucket, AggregatesQuestion } from '@pulso/stores'
import { createTestApi, NOON_MS, toSensor } from './helper.ts'

const CLOSED = { fromMs: NOON_MS - 2 * HOUR_MS, toMs: NOON_MS - HOUR_MS }
const RUNNING = { fromMs: NOON_MS - 5 * MINUTE_MS, toMs: NOON_MS + 55 * MINUTE_MS }

function answering(buckets: readonly AggregatedBucket[]) {
  const asked: AggregatesQuestion[] = []
  return {
    asked,
    aggregates: {
      aggregates: async (question: AggregatesQuestion) => {
        asked.push(question)
        return [...buckets]
      },
    },
  }
}

test('a mean over the city is asked for with the kind’s own defaults', async (t) => {
  const parts = { fillLevel_count: 4, fillLevel_sum: 2, fillLevel_last: 0.9 }
  const { asked, aggregates } = answering([
    { ...CLOSED, row: { parts, elapsedMs: 0 } },
    { ...RUNNING, row: null },
  ])
  const { get } = await createTestApi(t, { aggregates })
  const { status, body, headers } = await get('/api/v1/aggregates/bins')
  assert.equal(status, 200)
  const expected: AggregatesView = {
    kind: 'bins',
    metric: 'fillLevel',
    zone: null,
    step: '1h',
    fn: 'mean',
    timeZone: 'Europe/Madrid',
    buckets: [
      { from: '2026-05-31T10:00:00.000Z', to: '2026-05-31T11:00:00.000Z', value: 0.5 },
      { from: '2026-05-31T11:55:00.000Z', to: '2026-05-31T12:55:00.000Z', value: null },
    ],
  }
  assert.deepEqual(body, expected)
  assert.equal(headers['cache-control'], 'public, max-age=5')
  assert.ok(headers.etag)
  const [question] = asked
  assert.deepEqual(question, {
    kind: 'bins',
    scope: 'city',
    id: '',
    metric: 'fillLevel',
    resolution: '1h',
    fromMs: NOON_MS - 7 * 24 * HOUR_MS,
    toMs: NOON_MS,
  })
})

test('a share says how long each state was held, and how much nobody knows', async (t) => {
  const parts = { status_free_ms: 900_000, status_occupied_ms: 1_800_000 }
  const { asked, aggregates } = answering([{ ...CLOSED, row: { parts, elapsedMs: HOUR_MS } }])
  const { get } = await createTestApi(t, { aggregates })
  const { body, headers } = await get('/api/v1/aggregates/parking?zone=west&metric=status&fn=share')
  const [bucket] = (body as AggregatesView).buckets
  assert.ok(bucket && 'shares' in bucket)
  assert.deepEqual([bucket.shares?.free, bucket.shares?.occupied, bucket.unknown], [0.25, 0.5, 0.25])
  assert.equal(bucket.hours?.occupied, 0.5)
  assert.equal(headers['cache-control'], 'public, max-age=120')
  assert.deepEqual([asked[0]?.scope, asked[0]?.id], ['zone', 'west'])
})

test('a sensor’s history comes in steps when they are asked for', async (t) => {
  const row = { parts: { fillLevel_count: 2, fillLevel_max: 0.7 }, elapsedMs: 0 }
  const { asked, aggregates } = answering([{ ...CLOSED, row }])
  const { get } = await createTestApi(t, { aggregates, sensors: [toSensor('a')] })
  const { body } = await get('/api/v1/sensors/a/history?step=1d&fn=max')
  const { sensor, step, buckets } = body as HistoryBuckets
  assert.deepEqual([sensor, step, buckets.length], ['a', '1d', 1])
  assert.ok(buckets[0] && 'value' in buckets[0])
  assert.equal(buckets[0].value, 0.7)
  assert.deepEqual([asked[0]?.scope, asked[0]?.id, asked[0]?.resolution], ['sensor', 'a', '1d'])
})

test('what cannot be answered is refused with a sentence that helps', async (t) => {
  const { get } = await createTestApi(t, { sensors: [toSensor('a')] })
  const refusals: [path: string, status: number, code: string, says: RegExp][] = [
    ['aggregates/nothing', 404, 'unknown-kind', /there are bins/],
    ['aggregates/__proto__', 404, 'unknown-kind', /bins/],
    ['aggregates/bins?metric=weight', 400, 'unknown-metric', /fillLevel, volume/],
    ['aggregates/bins?metric=batteryLevel', 400, 'unknown-metric', /fillLevel/],
    ['aggregates/bins?metric=constructor', 400, 'unknown-metric', /fillLevel/],
    ['aggregates/bins?zone=north', 400, 'unknown-zone', /north/],
    ['aggregates/bins?step=1s', 400, 'unknown-step', /5m, 1h, 1d/],
    ['aggregates/bins?fn=median', 400, 'unknown-function', /count, min/],
    ['aggregates/bins?fn=share', 400, 'function-not-for-metric', /mean/],
    ['aggregates/parking?metric=status&fn=mean', 400, 'function-not-for-metric', /share/],
    ['aggregates/bins?from=2026-06-02T00:00:00Z&to=2026-06-01T00:00:00Z', 400, 'invalid-range', /later/],
    ['aggregates/bins?from=2016-05-31T00:00:00Z', 400, 'range-too-long', /200 d/],
    ['aggregates/bins?from=2016-05-31T00:00:00Z&step=1d', 400, 'range-too-long', /1830 d/],
    ['aggregates/bins?from=2026-05-01T00:00:00Z&step=5m', 400, 'range-too-long', /14 d/],
    ['sensors/a/history?step=2h', 400, 'unknown-step', /5m/],
    ['sensors/a/history?fn=max', 400, 'conflicting-parameters', /step/],
  ]
  for (const [path, status, code, says] of refusals) {
    const answer = await get(`/api/v1/${path}`)
    const problem = answer.body as Problem
    assert.deepEqual([answer.status, problem.code], [status, code], path)
    assert.match(problem.detail, says, path)
  }
})
