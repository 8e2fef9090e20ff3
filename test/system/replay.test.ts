import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { HistoryView } from '@pulso/model'
import { parse } from 'csv-parse/sync'
import { getJson, readMetric, signIn } from '../support/api.ts'
import { ROOT, runPulso, withBox, type RunningBox } from '../support/box.ts'
import { waitFor } from '../support/wait.ts'

const WEEK = join(ROOT, '../shared/data/parking/dresden-and-others-2024-06')
/** Not of today's weekday, which is played in two parts: the hours to come are last week's. */
const DAY = new Date().getUTCDay() === 3 ? '2024-06-13' : '2024-06-12'
const NEXT_DAY = new Date(Date.parse(DAY) + 24 * 3_600_000).toISOString().slice(0, 10)
const INSTANTS = ['06:00', '12:00', '18:30']
const skip = existsSync(WEEK) ? false : 'the recorded week of German car parks is not here'

/** What one car park's column says of the day: the rows that a platform may believe, and those that it must not. */
interface Recorded {
  valid: { timeMs: number; free: number }[]
  negative: number
  overCapacity: number
}

describe('a day of the real German car-park week', { skip }, () => {
  it('is stored as it was recorded, and what cannot be right is kept aside with its reason', async () => {
    const day = readDay()
    const env = { PULSO_CITY: join(ROOT, 'model/cities/dresden.json') }
    await withBox({ env }, async (box) => {
      const args = ['replay', WEEK, '--from', `${DAY}T00:00:00Z`, '--to', `${NEXT_DAY}T00:00:00Z`, '--json']
      const { code, stdout, stderr } = await runPulso(args, { ...box, env })
      assert.equal(code, 0, stderr)
      const { segments, rows } = JSON.parse(stdout) as { segments: { shiftMs: number }[]; rows: number }
      const [{ shiftMs } = { shiftMs: 0 }] = segments
      assert.equal(segments.length, 1)
      assert.equal(shiftMs % (7 * 24 * 3_600_000), 0)
      assert.ok(rows > 30_000)
      await waitFor(async () => (await readMetric(box, 'pulso_journal_depth')) === 0, {
        what: 'an empty journal',
        timeoutMs: 60_000,
      })

      await assertSameAtInstants(box, day, shiftMs)
      const recorded = [...day.values()]
      const sum = (of: (lot: Recorded) => number) => recorded.reduce((total, lot) => total + of(lot), 0)
      const negative = sum((lot) => lot.negative)
      const overCapacity = sum((lot) => lot.overCapacity)
      assert.ok(negative > 0 && overCapacity > 0, 'the day has dirt of both sorts')
      assert.equal(
        await readMetric(box, 'pulso_messages_quarantined_total', 'reason="out-of-range"'),
        negative,
      )
      assert.equal(
        await readMetric(box, 'pulso_messages_quarantined_total', 'reason="over-capacity"'),
        overCapacity,
      )
      await assertQuarantineNames(box, day)
    })
  })
})

async function assertSameAtInstants(
  box: RunningBox,
  day: ReadonlyMap<string, Recorded>,
  shiftMs: number,
): Promise<void> {
  let compared = 0
  for (const [column, { valid }] of day) {
    if (valid.length === 0) continue
    const from = new Date(Date.parse(`${DAY}T00:00:00Z`) + shiftMs).toISOString()
    const to = new Date(Date.parse(`${DAY}T23:59:59Z`) + shiftMs).toISOString()
    const path = `/api/v1/sensors/replay-${column}/history?metric=availableSpotNumber&from=${from}&to=${to}`
    const { points } = await getJson<HistoryView>(box, path)
    for (const instant of INSTANTS) {
      const untilMs = Date.parse(`${DAY}T${instant}:00Z`)
      const expected = valid.findLast(({ timeMs }) => timeMs <= untilMs)?.free
      const shown = points.findLast(({ time }) => Date.parse(time) <= untilMs + shiftMs)?.value
      assert.equal(shown, expected, `${column} at ${instant}`)
      compared += 1
    }
  }
  assert.ok(compared > 900, `only ${compared} numbers compared`)
}

async function assertQuarantineNames(box: RunningBox, day: ReadonlyMap<string, Recorded>): Promise<void> {
  const operator = await signIn(box)
  for (const reason of ['out-of-range', 'over-capacity']) {
    const entries = await operator.quarantine(`reason=${reason}`)
    assert.ok(entries.length > 0)
    for (const entry of entries) {
      const lot = day.get(entry.sensor?.replace(/^replay-/, '') ?? '')
      assert.ok(lot && (reason === 'out-of-range' ? lot.negative : lot.overCapacity) > 0, entry.topic)
      assert.equal(entry.metric, 'availableSpotNumber')
    }
  }
}

/** Reads the day for itself, knowing nothing of the replay's own reader. */
function readDay(): Map<string, Recorded> {
  const capacities = new Map(
    readRows('lots_with_coordinates.csv').map(([id = '', , , capacity = '']) => [id, capacity]),
  )
  const [[, ...columns] = [], ...rows] = readRows(`${DAY}.csv`)
  const day = new Map<string, Recorded>()
  columns.forEach((column, index) => {
    // Ids that need no rewriting are nearly all of them; the rewriting has tests of its own.
    if (!/^[A-Za-z0-9._:-]{1,55}$/.test(column)) return
    const capacity = Number(capacities.get(column) === '' ? undefined : capacities.get(column))
    const cells = rows.flatMap(([time = '', ...values]) => {
      const cell = values[index] ?? ''
      return cell === '' ? [] : [{ timeMs: Math.round(Date.parse(time)), free: Number(cell) }]
    })
    day.set(column, {
      valid: cells.filter(({ free }) => free >= 0 && !(free > capacity)),
      negative: cells.filter(({ free }) => free < 0).length,
      overCapacity: cells.filter(({ free }) => free > capacity).length,
    })
  })
  assert.ok(day.size > columns.length * 0.9)
  return day
}

function readRows(file: string): string[][] {
  return parse(readFileSync(join(WEEK, file)), { skip_empty_lines: true })
}
