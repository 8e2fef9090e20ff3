import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createCalendar, HOUR_MS, MINUTE_MS, type Reading } from '@pulso/model'
import { createDueHours, type DueHours } from '../src/rollup/due-hours.ts'
import { KINDS } from './support/city.ts'

/** Midnight in Madrid. */
const DAY_START_MS = Date.UTC(2026, 4, 30, 22)
const CLAIM_MS = DAY_START_MS + 10 * HOUR_MS

describe('due hours', () => {
  it('are those of readings before what is rolled up, and of no others', () => {
    const due = create()
    due.claim('environment', CLAIM_MS)
    take(due, { position: 7 }, [
      ['environment', CLAIM_MS],
      ['environment', CLAIM_MS + HOUR_MS],
    ])
    assert.deepEqual(due.list('environment'), [])
    take(due, { position: 8 }, [
      ['environment', CLAIM_MS - 1],
      ['environment', CLAIM_MS - 3 * HOUR_MS],
      ['environment', CLAIM_MS - 2],
    ])
    assert.deepEqual(hoursOf(due, 'environment'), [7, 9])
  })

  it('go on as long as a value may hold, as far as is rolled up', () => {
    const due = create()
    due.claim('parking', CLAIM_MS)
    take(due, { position: 1, holdMs: 2 * HOUR_MS }, [
      ['parking', DAY_START_MS + 2 * HOUR_MS + 50 * MINUTE_MS],
    ])
    assert.deepEqual(hoursOf(due, 'parking'), [2, 3, 4, 5])
    take(due, { position: 2, holdMs: 48 * HOUR_MS }, [['parking', CLAIM_MS - 1]])
    assert.deepEqual(hoursOf(due, 'parking'), [2, 3, 4, 5, 9])
  })

  it('are judged by the progress of their own kind', () => {
    const due = create()
    due.claim('parking', CLAIM_MS)
    due.claim('environment', DAY_START_MS)
    take(due, { position: 1 }, [['environment', CLAIM_MS - 1]])
    assert.deepEqual(due.list('environment'), [])
  })

  it('wait for the registry once each, also when a batch comes again', () => {
    const due = create()
    due.claim('environment', CLAIM_MS)
    take(due, { position: 5 }, [['environment', CLAIM_MS - 1]])
    const unsettled = due.unsettled()
    assert.deepEqual(unsettled, [{ kind: 'environment', hourMs: CLAIM_MS - HOUR_MS, position: 5 }])
    take(due, { position: 5 }, [['environment', CLAIM_MS - 1]])
    assert.deepEqual(due.unsettled(), unsettled)
    due.settled(unsettled)
    assert.deepEqual(due.unsettled(), [])
    take(due, { position: 6 }, [['environment', CLAIM_MS - 1]])
    assert.equal(due.unsettled()[0]?.position, 6)
    due.settled(unsettled)
    assert.equal(due.unsettled().length, 1, 'what was brought up again is not in the registry yet')
  })

  it('stay due when they are brought up while they are worked out', () => {
    const due = create()
    due.claim('environment', CLAIM_MS)
    take(due, { position: 5 }, [['environment', CLAIM_MS - 1]])
    const hours = due.list('environment')
    due.begin(hours)
    take(due, { position: 5 }, [['environment', CLAIM_MS - 1]])
    assert.deepEqual(due.end(hours), [])
    due.begin(hours)
    assert.deepEqual(due.end(hours), hours)
    assert.deepEqual(due.list('environment'), [])
    assert.deepEqual(due.unsettled(), [], 'what is done need not be remembered')
  })

  it('of a rebuild change nothing of what is stored, and come after the others', () => {
    const due = create()
    due.claim('environment', CLAIM_MS)
    due.add([{ kind: 'environment', hourMs: DAY_START_MS, position: 0 }])
    const day = { fromMs: DAY_START_MS, toMs: DAY_START_MS + 24 * HOUR_MS }
    assert.equal(due.isChanged('environment', day), false)
    take(due, { position: 3 }, [['environment', CLAIM_MS - 1]])
    assert.equal(due.isChanged('environment', day), true)
    assert.equal(due.isChanged('environment', { ...day, toMs: CLAIM_MS - HOUR_MS }), false)
    assert.deepEqual(hoursOf(due, 'environment'), [9, 0])
    assert.deepEqual(due.counts(), { changed: 1, rebuild: 1 })
    assert.equal(due.cancelRebuild().length, 1)
    assert.deepEqual(hoursOf(due, 'environment'), [9])
  })
})

function create(): DueHours {
  return createDueHours({ kinds: KINDS, calendar: createCalendar('Europe/Madrid') })
}

function take(
  due: DueHours,
  { position, holdMs = 0 }: { position: number; holdMs?: number },
  readings: readonly [kind: string, timeMs: number][],
): void {
  const identities = {
    changedBefore(beforeMs: number, each: (kind: string, reading: Reading) => void) {
      for (const [kind, timeMs] of readings)
        if (timeMs < beforeMs) each(kind, { sensorId: 's1', timeMs, receivedAtMs: timeMs, values: {} })
    },
  }
  due.take({ position, identities }, () => holdMs)
}

/** Hours since the day began. */
function hoursOf(due: DueHours, kind: string): number[] {
  return due.list(kind).map(({ hourMs }) => (hourMs - DAY_START_MS) / HOUR_MS)
}
