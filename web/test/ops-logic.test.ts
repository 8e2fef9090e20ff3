import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toBatteryWarning, toCondition, toDelayMs } from '../src/ops/condition.ts'
import { parseRoute, toHash } from '../src/ops/route.ts'
import { scrollTopFor, toRowWindow } from '../src/ops/row-window.ts'
import { append, EMPTY_SERIES, toSparkline } from '../src/ops/series.ts'

const NOW_MS = Date.parse('2026-03-01T12:00:00Z')
const ago = (ms: number) => new Date(NOW_MS - ms).toISOString()
const HOUR_MS = 3_600_000

describe("a sensor's condition", () => {
  const heard = { time: ago(3 * HOUR_MS), receivedAt: ago(3 * HOUR_MS), presence: null }

  it('tells a sensor that was never heard from one that fell silent', () => {
    const never = toCondition({ time: null, receivedAt: null, presence: null, freshness: 'offline' }, NOW_MS)
    assert.deepEqual(never, { id: 'never', silentMs: null, isConnectedButQuiet: false })
    const silent = toCondition({ ...heard, freshness: 'offline' }, NOW_MS)
    assert.deepEqual(silent, { id: 'silent', silentMs: 3 * HOUR_MS, isConnectedButQuiet: false })
  })

  it('calls a quiet sensor reporting while its kind says that the silence is normal', () => {
    assert.equal(toCondition({ ...heard, freshness: 'fresh' }, NOW_MS).id, 'reporting')
    assert.equal(toCondition({ ...heard, freshness: 'stale' }, NOW_MS).id, 'late')
  })

  it('does not take a connection for a sign of life', () => {
    const connected = toCondition({ ...heard, freshness: 'offline', presence: 'online' }, NOW_MS)
    assert.equal(connected.id, 'silent')
    assert.equal(connected.isConnectedButQuiet, true)
    assert.equal(
      toCondition({ ...heard, freshness: 'fresh', presence: 'online' }, NOW_MS).isConnectedButQuiet,
      false,
    )
  })

  it('never counts a silence below zero when the device clock runs ahead', () => {
    assert.equal(toCondition({ ...heard, time: ago(-5_000), freshness: 'fresh' }, NOW_MS).silentMs, 0)
  })

  it('says how long a reading was under way only when it matters', () => {
    assert.equal(toDelayMs({ time: ago(2_000), receivedAt: ago(1_000) }), null)
    assert.equal(toDelayMs({ time: ago(2 * HOUR_MS), receivedAt: ago(HOUR_MS) }), HOUR_MS)
    assert.equal(toDelayMs({ time: null, receivedAt: null }), null)
  })

  it('warns of a battery that is low or nearly empty, never of one that is not there', () => {
    assert.deepEqual([null, 1, 0.21, 0.2, 0.1].map(toBatteryWarning), [null, null, null, 'low', 'empty'])
  })
})

describe('the sparkline', () => {
  const box = { width: 100, height: 20, length: 5, atLeast: 10 }

  it('keeps the newest values only', () => {
    const series = [1, 2, 3, 4].reduce((kept, value) => append(kept, value, 3), EMPTY_SERIES)
    assert.deepEqual(series.values, [2, 3, 4])
  })

  it('draws a silence of the box as a gap, not as zero', () => {
    const { line, tip } = toSparkline({ values: [5, 5, null, 10, 10] }, box)
    assert.equal(line.match(/M/g)?.length, 2)
    assert.deepEqual(tip, { x: 100, y: 3 })
    assert.equal(toSparkline({ values: [5, null] }, box).tip, null)
  })

  it('keeps the newest value at the right edge while the line is still short', () => {
    assert.equal(toSparkline({ values: [10, 10] }, box).line, 'M75 3L100 3')
  })

  it('draws nothing from nothing', () => {
    assert.deepEqual(toSparkline(EMPTY_SERIES, box), { line: '', area: '', tip: null })
  })
})

describe('the window of drawn rows', () => {
  it('draws tens of rows of a table of thousands, and keeps its full height', () => {
    const { from, to, aboveHeight, belowHeight } = toRowWindow(5_000, 40, { scrollTop: 80_000, height: 600 })
    assert.ok(from < 2_000 && to > 2_015 && to - from < 60)
    assert.equal(aboveHeight + (to - from) * 40 + belowHeight, 5_000 * 40)
  })

  it('survives a list that has become shorter than the scroll position', () => {
    const { from, to } = toRowWindow(3, 40, { scrollTop: 80_000, height: 600 })
    assert.deepEqual([from, to], [3, 3])
  })

  it('scrolls just far enough to show a row', () => {
    const view = { scrollTop: 400, height: 200 }
    assert.equal(scrollTopFor(12, 40, view), 400)
    assert.equal(scrollTopFor(5, 40, view), 200)
    assert.equal(scrollTopFor(20, 40, view), 640)
  })
})

describe("the page's places", () => {
  it('keeps any sensor id whole on its way through the address', () => {
    for (const sensor of ['a:b.c_d-1', 'odd/../id %']) {
      assert.deepEqual(parseRoute(toHash({ place: 'quarantine', sensor })), { place: 'quarantine', sensor })
    }
  })

  it('opens the sensors for an address that it does not know', () => {
    for (const hash of ['', '#', '#/nowhere', '#/sensors/', 'x'])
      assert.deepEqual(parseRoute(hash), { place: 'sensors', sensor: null })
    assert.deepEqual(parseRoute('#/quarantine/%'), { place: 'quarantine', sensor: null })
  })
})
