import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '@pulso/model'
import { parseQueryTime } from '../src/http/query.ts'

const parse = (text: string): string => new Date(parseQueryTime('from', text, 0)).toISOString()

/** In Europe/Madrid, 29 March 2026 has 23 hours and 25 October 2026 has 25. */
test('the offset says which hour is meant on the days when the clocks change', () => {
  assert.equal(parse('2026-03-29T01:59:59+01:00'), '2026-03-29T00:59:59.000Z')
  assert.equal(parse('2026-03-29T03:00:00+02:00'), '2026-03-29T01:00:00.000Z')
  assert.equal(parse('2026-10-25T02:30:00+02:00'), '2026-10-25T00:30:00.000Z')
  assert.equal(parse('2026-10-25T02:30:00+01:00'), '2026-10-25T01:30:00.000Z')
})

test('the city’s day around a change of the clocks is as long as it is', () => {
  const hours = (from: string, to: string): number =>
    (parseQueryTime('to', to, 0) - parseQueryTime('from', from, 0)) / 3_600_000
  assert.equal(hours('2026-03-29T00:00:00+01:00', '2026-03-30T00:00:00+02:00'), 23)
  assert.equal(hours('2026-10-25T00:00:00+02:00', '2026-10-26T00:00:00+01:00'), 25)
})

test('a + that was not escaped is still the offset’s, and Z is UTC', () => {
  assert.equal(parse('2026-05-31T12:00:00 02:00'), '2026-05-31T10:00:00.000Z')
  assert.equal(parse('2026-05-31T10:00Z'), '2026-05-31T10:00:00.000Z')
})

test('a time without a zone is refused with what to add, and others with what is wrong', () => {
  const refusals: [string, RegExp][] = [
    ['2026-03-29T02:30:00', /'from' .*has no zone: add Z/],
    ['2026-10-25 02:30', /has no zone/],
    ['2026-10-25', /a day alone/],
    ['1780000000', /a number of seconds/],
    ['2026-02-30T00:00:00Z', /the day must exist/],
    ['2016-12-31T23:59:60Z', /the day must exist/],
    ['+275760-09-13T00:00:00Z', /years go from 2000/],
    ['0000-01-01T00:00:00Z', /years go from 2000/],
  ]
  for (const [text, hint] of refusals)
    assert.throws(
      () => parse(text),
      (error) => error instanceof AppError && error.code === 'invalid-time' && hint.test(error.message),
      text,
    )
})
