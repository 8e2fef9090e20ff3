import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { toAxis, toBands, toLinePath, thinOut } from '../src/shared/chart.ts'
import { contrast, inkOn } from '../src/shared/colour.ts'
import { createFormat } from '../src/shared/format.ts'
import { pickLanguage, translate } from '../src/shared/i18n.ts'

const SECOND_MS = 1_000
const HOUR_MS = 3_600_000

test('says an age in the reader’s language, in at most two units', () => {
  const en = createFormat('en')
  assert.equal(en.age(500), 'just now')
  assert.equal(en.age(40 * SECOND_MS), '40 s ago')
  assert.equal(en.age(15 * 60 * SECOND_MS + 20 * SECOND_MS), '15 min ago')
  assert.equal(en.age(76 * HOUR_MS), '3 d 4 h ago')
  assert.equal(en.age(null), 'never')
  assert.equal(createFormat('es').age(40 * SECOND_MS), 'hace 40 s')
  assert.equal(createFormat('fr').age(26 * HOUR_MS), 'il y a 1 j 2 h')
})

test('calls a time that lies a little ahead "just now"', () => {
  assert.equal(createFormat('en').age(-3 * SECOND_MS), 'just now')
})

test('shows a ratio in percent and a number with its unit', () => {
  const en = createFormat('en')
  assert.equal(
    en.metricText({ type: 'number', unit: '1', percent: true, symbol: '%', decimals: 0 }, 0.734),
    '73 %',
  )
  assert.equal(
    en.metricText({ type: 'number', unit: 'ug/m3', symbol: 'µg/m³', decimals: 1 }, 12),
    '12.0 µg/m³',
  )
  assert.equal(createFormat('fr').metricText({ type: 'number', symbol: 'W', decimals: 1 }, 1.5), '1,5 W')
  assert.equal(en.metricText({ type: 'number' }, null), '–')
})

test('writes clock times in the city’s time zone', () => {
  assert.equal(createFormat('en', 'Europe/Madrid').clock(Date.UTC(2026, 6, 1, 12, 5)), '14:05')
})

test('picks the first language that is spoken, English when none is', () => {
  assert.equal(pickLanguage([null, 'pt-BR', 'fr-CA', 'es']), 'fr')
  assert.equal(pickLanguage(['xx', undefined]), 'en')
})

test('chooses the form for one and leaves an unknown parameter visible', () => {
  const message = { one: '{count} sensor', other: '{count} sensors' }
  assert.equal(translate(message, 'en', { count: 1 }), '1 sensor')
  assert.equal(translate(message, 'en', { count: 1_200 }), '1,200 sensors')
  assert.equal(translate('{who}?', 'en'), '{who}?')
})

test('puts the ink on a colour that can be read', () => {
  for (const colour of ['#009E73', '#D55E00', '#F0E641', '#960032', '#56616C', '#CC79A7'])
    assert.ok(contrast(colour, inkOn(colour)) >= 4.5, colour)
})

test('keeps the axis around the values, also around a single one, and within its bounds', () => {
  const axis = toAxis([3, 17])
  assert.ok(axis.min <= 3 && axis.max >= 17 && axis.ticks.length >= 3)
  const flat = toAxis([5, 5], { min: 0 })
  assert.ok(flat.max > flat.min && flat.min >= 0)
})

test('breaks the line over a silence', () => {
  const points = [0, 1, 2, 9, 10].map((timeMs) => ({ timeMs, value: timeMs }))
  const path = toLinePath(points, {
    width: 100,
    height: 10,
    time: { min: 0, max: 10 },
    value: { min: 0, max: 10 },
    maxGapMs: 3,
  })
  assert.equal(path.match(/M/g)?.length, 2)
})

test('ends a state’s band when it is no longer known to hold', () => {
  const bands = toBands(
    [
      { timeMs: 0, state: 'free' },
      { timeMs: 10, state: 'free' },
      { timeMs: 50, state: 'occupied' },
    ],
    { toMs: 100, holdsMs: 20 },
  )
  assert.deepEqual(bands, [
    { state: 'free', fromMs: 0, toMs: 30 },
    { state: 'occupied', fromMs: 50, toMs: 70 },
  ])
})

test('keeps the peaks when it thins out a line', () => {
  const points = Array.from({ length: 5_000 }, (_, timeMs) => ({ timeMs, value: timeMs === 3_333 ? 99 : 1 }))
  const thin = thinOut(points, 200)
  assert.ok(thin.length <= 200)
  assert.ok(thin.some(({ value }) => value === 99))
})

test('the dark theme of the system and the chosen one are the same', () => {
  const css = readFileSync(join(import.meta.dirname, '../src/shared/tokens.css'), 'utf8')
  const [bySystem, byChoice] = [":root:not([data-theme='light']) {", "\n:root[data-theme='dark'] {"].map(
    (start) => {
      const from = css.indexOf(start) + start.length
      return css.slice(from, css.indexOf('}', from)).match(/--[\w-]+: [^;]+;/g)
    },
  )
  assert.ok(bySystem && bySystem.length > 15)
  assert.deepEqual(bySystem, byChoice)
})

test('text stands out from its ground in both themes, by WCAG AA', () => {
  const css = readFileSync(join(import.meta.dirname, '../src/shared/tokens.css'), 'utf8')
  for (const start of [":root[data-theme='light'] {", ":root[data-theme='dark'] {"]) {
    const from = css.lastIndexOf(start)
    const block = css.slice(from, css.indexOf('}', from))
    const colour = (name: string): string =>
      /(#[\da-f]{6})/.exec(block.slice(block.indexOf(`--${name}:`)))?.[1] ?? ''
    const pairs = [
      ...['ink', 'ink-soft', 'ink-faint', 'accent', 'good', 'warning', 'danger'].flatMap((text) =>
        ['surface', 'surface-raised', 'ground'].map((ground) => [text, ground] as const),
      ),
      ...['ink', 'ink-soft', 'ink-faint'].flatMap((text) =>
        ['surface-hover', 'surface-sunken'].map((ground) => [text, ground] as const),
      ),
      ['ink-soft', 'surface-chosen'],
      ['on-accent', 'accent'],
      ['warning', 'warning-ground'],
      ['danger', 'danger-ground'],
    ] as const
    for (const [text, ground] of pairs)
      assert.ok(contrast(colour(text), colour(ground)) >= 4.5, `${start} ${text} on ${ground}`)
  }
})
