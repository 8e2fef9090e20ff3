import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toFeatureId } from '../src/index.ts'

test('a sensor keeps its number for ever: pages and tiles that people have kept refer to it', () => {
  assert.equal(toFeatureId(''), 5_164_705_299_114_846)
  assert.equal(toFeatureId('bay-042'), 7_440_178_609_674_673)
})

test('numbers are exact in JavaScript and differ, also for ids that are counted up', () => {
  const numbers = new Set<number>()
  for (let index = 0; index < 100_000; index++) {
    const number = toFeatureId(`santander:bay-${index}`)
    assert.ok(Number.isSafeInteger(number) && number >= 0)
    numbers.add(number)
  }
  assert.equal(numbers.size, 100_000)
})
