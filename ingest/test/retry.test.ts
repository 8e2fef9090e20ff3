import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '@pulso/model'
import { createRate } from '../src/rates.ts'
import { createRetry, type Retry } from '../src/retry.ts'

function create(random: () => number, signal = new AbortController().signal) {
  const delaysMs: number[] = []
  const recovered: string[] = []
  const retry: Retry = createRetry({
    signal,
    random,
    firstMs: 1,
    longestMs: 4,
    onFailure: ({ delayMs }) => void delaysMs.push(delayMs),
    onRecovery: (doing) => void recovered.push(doing),
  })
  return { retry, delaysMs, recovered }
}

test('waits twice as long each time, up to a bound', async () => {
  const { retry, delaysMs, recovered } = create(() => 0)
  const result = await retry('count', (attempt) =>
    attempt > 5 ? Promise.resolve(attempt) : Promise.reject(new Error('not yet')),
  )
  assert.equal(result, 6)
  assert.deepEqual(delaysMs, [1, 2, 4, 4, 4])
  assert.deepEqual(recovered, ['count'])
})

test('takes up to a half of it off at random', async () => {
  const { retry, delaysMs } = create(() => 0.999)
  await retry('count', (attempt) => (attempt > 3 ? Promise.resolve() : Promise.reject(new Error('not yet'))))
  assert.deepEqual(delaysMs, [1, 1, 2])
})

test('ends its waiting when it is stopped, and says so', async () => {
  const stopping = new AbortController()
  const retry = createRetry({
    signal: stopping.signal,
    random: () => 0,
    firstMs: 3_600_000,
    longestMs: 3_600_000,
    onFailure: () => setImmediate(() => stopping.abort()),
    onRecovery: () => undefined,
  })
  await assert.rejects(
    retry('wait', () => Promise.reject(new Error('never'))),
    (error) => error instanceof AppError && error.code === 'stopped',
  )
})

test('a rate is what the last ten whole seconds brought', () => {
  let nowMs = 5_000_500
  const rate = createRate({ now: () => nowMs })
  rate.add(100)
  assert.equal(rate.perSecond(), 0)
  nowMs += 1_000
  rate.add(50)
  assert.equal(rate.perSecond(), 10)
  nowMs += 1_000
  assert.equal(rate.perSecond(), 15)
  nowMs += 9_000
  assert.equal(rate.perSecond(), 5)
  nowMs += 1_000
  assert.equal(rate.perSecond(), 0)
})
