import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createReceiveTimes } from '../src/journal-sqlite/receive-times.ts'

const BATCH_OF_THREE = Buffer.from('[{},{},{}]')
const ONE = Buffer.from('{}')
const MINUTE_MS = 60_000

describe('receive times', () => {
  const setUp = (untilMs = 0) => {
    const clock = { nowMs: 1_000_000, now: () => clock.nowMs }
    const times = createReceiveTimes({ clock, untilMs })
    const give = (topic: string, payload = ONE): number => {
      times.begin()
      return times.assign(topic, payload)
    }
    return { clock, times, give }
  }

  test('are now, and a millisecond more for each further message of the topic', () => {
    const { give } = setUp()
    assert.deepEqual([give('a'), give('a'), give('b')], [1_000_000, 1_000_001, 1_000_000])
  })

  test('are a sensor’s own, whichever of its topics it speaks on', () => {
    const { give } = setUp()
    const topics = [
      'pulso/bin/s/telemetry',
      'pulso/bin/s/senml',
      'v1/devices/s/telemetry',
      'pulso/bin/other/senml',
    ]
    assert.deepEqual(
      topics.map((topic) => give(topic)),
      [1_000_000, 1_000_001, 1_000_002, 1_000_000],
    )
  })

  test('skip the milliseconds that a batch has reserved, also in a later group', () => {
    const { give, clock } = setUp()
    give('a', BATCH_OF_THREE)
    clock.nowMs += 2
    assert.equal(give('a'), 1_000_003)
    clock.nowMs += 10
    assert.equal(give('a'), 1_000_012)
  })

  test('stay unique when the clock is set back', () => {
    const { give, clock } = setUp()
    const given = [give('a')]
    clock.nowMs += 500
    given.push(give('a'))
    clock.nowMs -= 400
    given.push(give('a'), give('a'))
    assert.equal(new Set(given).size, 4)
  })

  test('stay unique over a restart', () => {
    const first = setUp()
    first.give('a', BATCH_OF_THREE)
    const second = setUp(first.times.untilMs)
    assert.equal(second.give('a'), 1_000_003)
  })

  test('follow the clock again after it was far ahead', () => {
    const { give, clock } = setUp()
    clock.nowMs += 60 * MINUTE_MS
    give('a')
    clock.nowMs -= 60 * MINUTE_MS
    assert.equal(give('a'), 1_000_000)
    assert.equal(setUp(1_000_000 + 60 * MINUTE_MS).give('a'), 1_000_000)
  })

  test('are not carried away for everybody by one endless batch', () => {
    const { give, times } = setUp()
    give('a', Buffer.from(`[${'{},'.repeat(700_000)}{}]`))
    assert.equal(give('b'), 1_000_000)
    assert.equal(times.untilMs, 1_000_000)
  })
})
