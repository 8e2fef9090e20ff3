import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { DAY_MS, HOUR_MS, WEEK_MS } from '@pulso/model'
import { followingSegments, planSegments } from '../src/replay/segments.ts'

suite('a recording', () => {
  test('is turned as a loop of weeks until now is at now, so that each row is played once and none lies in the future', () => {
    const firstMs = Date.parse('2024-06-10T00:00:00Z')
    for (const days of [0.5, 1, 6.9, 7, 8, 14, 30]) {
      const span = { firstMs, lastMs: firstMs + days * DAY_MS }
      for (let hour = 0; hour < 24 * 8; hour += 5) {
        const nowMs = Date.parse('2026-11-20T03:00:00Z') + hour * HOUR_MS
        const segments = planSegments(span, nowMs)
        const shown = segments.flatMap(({ fromMs, toMs, shiftMs }) => [fromMs + shiftMs, toMs - 1 + shiftMs])
        assert.deepEqual(
          shown,
          shown.toSorted((a, b) => a - b),
          'the older segment comes first',
        )
        assert.ok((shown.at(-1) ?? 0) <= nowMs && (shown.at(-1) ?? 0) > nowMs - WEEK_MS)
        if (days >= 6.9) assert.ok((shown.at(-1) ?? 0) > nowMs - 0.2 * DAY_MS, 'the newest is of now')
        assert.ok((shown[0] ?? 0) > nowMs - Math.ceil((days * DAY_MS + 1) / WEEK_MS) * WEEK_MS)
        for (const { shiftMs } of segments) assert.equal(shiftMs % WEEK_MS, 0)
        const lengthMs = segments.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
        assert.equal(lengthMs, span.lastMs - span.firstMs + 1)
      }
    }
  })

  test('goes on into the future when told to follow', () => {
    const span = { firstMs: 0, lastMs: WEEK_MS - 1 }
    const segments = planSegments(span, 10 * WEEK_MS + 2 * DAY_MS)
    const [next, afterNext] = followingSegments(span, segments)
    assert.equal((next?.fromMs ?? 0) + (next?.shiftMs ?? 0), 10 * WEEK_MS + 2 * DAY_MS + 1)
    assert.equal((afterNext?.fromMs ?? 0) + (afterNext?.shiftMs ?? 0), 11 * WEEK_MS)
  })
})
