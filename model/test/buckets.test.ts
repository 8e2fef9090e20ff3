import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createCalendar, DAY_MS, HOUR_MS, MINUTE_MS, type Bucket } from '@pulso/model'

const lengths = (buckets: readonly Bucket[], unitMs: number): number[] =>
  buckets.map(({ fromMs, toMs }) => (toMs - fromMs) / unitMs)
const starts = (buckets: readonly Bucket[]): string[] =>
  buckets.map(({ fromMs }) => new Date(fromMs).toISOString().slice(0, 16))

describe('the calendar of a city', () => {
  const madrid = createCalendar('Europe/Madrid')

  test('has a day of 23 hours in spring, made of 23 hours', () => {
    const days = madrid.bucketsOf('1d', Date.UTC(2026, 2, 28, 12), Date.UTC(2026, 2, 30, 12))
    assert.deepEqual(starts(days), ['2026-03-27T23:00', '2026-03-28T23:00', '2026-03-29T22:00'])
    assert.deepEqual(lengths(days, HOUR_MS), [24, 23, 24])
    const hours = madrid.bucketsOf('1h', Date.UTC(2026, 2, 28, 23), Date.UTC(2026, 2, 29, 22))
    assert.deepEqual(lengths(hours, HOUR_MS), new Array(23).fill(1))
  })

  test('has a day of 25 hours in autumn, made of 25 hours', () => {
    const days = madrid.bucketsOf('1d', Date.UTC(2026, 9, 24, 12), Date.UTC(2026, 9, 26, 12))
    assert.deepEqual(starts(days), ['2026-10-23T22:00', '2026-10-24T22:00', '2026-10-25T23:00'])
    assert.deepEqual(lengths(days, HOUR_MS), [24, 25, 24])
    const hours = madrid.bucketsOf('1h', Date.UTC(2026, 9, 24, 22), Date.UTC(2026, 9, 25, 23))
    assert.deepEqual(lengths(hours, HOUR_MS), new Array(25).fill(1))
  })

  test('begins days and hours with the half hour where the zone does', () => {
    const kolkata = createCalendar('Asia/Kolkata')
    const day = kolkata.bucketAt('1d', Date.UTC(2026, 0, 1, 18, 29, 59, 999))
    assert.deepEqual(starts([day]), ['2025-12-31T18:30'])
    assert.equal(day.toMs - day.fromMs, DAY_MS)
    assert.deepEqual(starts([kolkata.bucketAt('1h', Date.UTC(2026, 0, 1, 12, 15))]), ['2026-01-01T11:30'])
  })

  test('ends a day of 23 or 24 and a half hours with half an hour', () => {
    const lordHowe = createCalendar('Australia/Lord_Howe')
    for (const [noon, halves] of [
      [Date.UTC(2026, 3, 5, 1), 49],
      [Date.UTC(2026, 9, 4, 1), 47],
    ] as const) {
      const { fromMs, toMs } = lordHowe.bucketAt('1d', noon)
      assert.equal((toMs - fromMs) / (30 * MINUTE_MS), halves)
      const hours = lordHowe.bucketsOf('1h', fromMs, toMs)
      assert.equal(hours.length, Math.ceil(halves / 2))
      assert.deepEqual(
        [hours[0]?.fromMs, hours.at(-1)?.toMs, lengths(hours.slice(-1), MINUTE_MS)],
        [fromMs, toMs, [30]],
      )
    }
  })

  test('begins a day whose midnight is skipped with its first moment, and knows of skipped dates', () => {
    // In Beirut the clocks go from 0:00 to 1:00.
    const spring = createCalendar('Asia/Beirut').bucketAt('1d', Date.UTC(2026, 2, 29, 12))
    assert.deepEqual([starts([spring]), lengths([spring], HOUR_MS)], [['2026-03-28T22:00'], [23]])
    // In Havana from 1:00 back to 0:00: midnight comes twice, and the day begins with the first.
    const autumn = createCalendar('America/Havana').bucketAt('1d', Date.UTC(2026, 10, 1, 12))
    assert.deepEqual([starts([autumn]), lengths([autumn], HOUR_MS)], [['2026-11-01T04:00'], [25]])
    // Samoa had no 30 December 2011.
    const apia = createCalendar('Pacific/Apia').bucketsOf('1d', Date.UTC(2011, 11, 29), Date.UTC(2012, 0, 1))
    assert.deepEqual(starts(apia), [
      '2011-12-28T10:00',
      '2011-12-29T10:00',
      '2011-12-30T10:00',
      '2011-12-31T10:00',
    ])
  })

  test('puts every moment of a year into one bucket, in order and without gaps', () => {
    for (const zone of [
      'Europe/Madrid',
      'America/St_Johns',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
      'UTC',
    ]) {
      const calendar = createCalendar(zone)
      const local = new Intl.DateTimeFormat('sv', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
      const [fromMs, toMs] = [Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1)]
      for (const resolution of ['1h', '1d'] as const) {
        const buckets = calendar.bucketsOf(resolution, fromMs, toMs)
        assert.ok((buckets[0]?.fromMs ?? Infinity) <= fromMs && (buckets.at(-1)?.toMs ?? 0) >= toMs)
        for (const [n, bucket] of buckets.entries()) {
          if (n > 0) assert.equal(bucket.fromMs, buckets[n - 1]?.toMs)
          assert.deepEqual(calendar.bucketAt(resolution, bucket.fromMs), bucket)
          assert.deepEqual(calendar.bucketAt(resolution, bucket.toMs - 1), bucket)
        }
        if (resolution === '1d')
          for (const { fromMs: midnight } of buckets) assert.match(local.format(midnight), / 00:00:00$/, zone)
      }
    }
  })

  test('cuts five minutes in UTC, before 1970 too', () => {
    assert.deepEqual(madrid.bucketAt('5m', -1), { fromMs: -300_000, toMs: 0 })
    assert.deepEqual(starts(madrid.bucketsOf('5m', 299_999, 600_001)), [
      '1970-01-01T00:00',
      '1970-01-01T00:05',
      '1970-01-01T00:10',
    ])
  })

  test('has no buckets in an empty period, and forgets no day of a long one', () => {
    assert.deepEqual(madrid.bucketsOf('1d', 5, 5), [])
    assert.equal(madrid.bucketsOf('1d', Date.UTC(2000, 0, 1), Date.UTC(2020, 0, 1)).length, 7306)
  })
})
