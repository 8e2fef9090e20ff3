import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOUR_MS, MINUTE_MS } from '@pulso/model'
import { addSample, lastHour, toHourlyMean, type Sample } from '../src/window.ts'

const at = (seconds: number, value: number): Sample => [seconds * 1_000, value]

test('a late sample is put where its time belongs', () => {
  const samples: Sample[] = [at(0, 1), at(120, 3)]
  addSample(samples, at(60, 2))
  assert.deepEqual(samples, [at(0, 1), at(60, 2), at(120, 3)])
})

test('the same time replaces', () => {
  const samples: Sample[] = [at(0, 1), at(60, 2), at(120, 3)]
  addSample(samples, at(60, 9))
  assert.deepEqual(samples, [at(0, 1), at(60, 9), at(120, 3)])
})

test('of two samples within half a minute the newer stays, in whichever order they come', () => {
  for (const order of [
    [at(61, 1), at(70, 2)],
    [at(70, 2), at(61, 1)],
  ]) {
    const samples: Sample[] = [at(0, 0)]
    for (const sample of order) addSample(samples, sample)
    assert.deepEqual(samples, [at(0, 0), at(70, 2)])
  }
})

test('the hour leaves out its beginning and holds its end', () => {
  const samples: Sample[] = [at(0, 1), at(1, 2), at(3_600, 3)]
  assert.deepEqual(lastHour(samples, HOUR_MS), [at(1, 2), at(3_600, 3)])
  assert.deepEqual(lastHour(samples, 3 * HOUR_MS), [])
})

test('coverage is what was expected of this sensor, at most all of it', () => {
  const samples: Sample[] = Array.from({ length: 6 }, (_, index) => at(index * 600, index))
  assert.deepEqual(toHourlyMean(samples, 10 * MINUTE_MS), { mean: 2.5, coverage: 1 })
  assert.equal(toHourlyMean(samples, 5 * MINUTE_MS).coverage, 0.5)
  assert.equal(toHourlyMean(samples, HOUR_MS).coverage, 1)
  // One value per half minute is all that is looked at.
  assert.equal(toHourlyMean(samples, 1_000).coverage, 6 / 120)
})
