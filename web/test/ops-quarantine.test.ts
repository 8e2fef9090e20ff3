import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { OpsOverview, QuarantineReplay, QuarantineReplayed } from '@pulso/model'
import { runSteps, type StepsOutcome } from '../src/ops/quarantine-steps.ts'
import { nextTrouble, type Trouble } from '../src/ops/trouble.ts'

const STEP: QuarantineReplayed = { entries: 200, messages: 190, refused: 2, settled: true, next: null }

/** A box that answers with these steps, one after the other. */
function createBox(steps: QuarantineReplayed[]) {
  const asked: QuarantineReplay[] = []
  const api = {
    async replayQuarantine(selection: QuarantineReplay) {
      asked.push(selection)
      return steps.shift() ?? assert.fail('asked for one step too many')
    },
    async purgeQuarantine(selection: QuarantineReplay) {
      asked.push(selection)
      const { entries, next } = steps.shift() ?? assert.fail('asked for one step too many')
      return { removed: entries, next: next && { through: next.through } }
    },
  }
  return { api, asked }
}

describe('replaying and deleting', () => {
  it('asks for step after step, adds up what came of it and tells how far it is', async () => {
    const { api, asked } = createBox([
      { ...STEP, next: { after: 200, through: 330 } },
      { ...STEP, entries: 130 },
    ])
    const told: StepsOutcome[] = []
    const work = { action: 'replay', selection: { total: 7 } } as const
    const outcome = await runSteps(api, work, (soFar) => told.push(soFar))
    assert.deepEqual(outcome, { action: 'replay', entries: 330, refused: 4, isSettled: true })
    assert.deepEqual(
      told.map(({ entries }) => entries),
      [200, 330],
    )
    assert.deepEqual(asked, [{ total: 7 }, { total: 7, after: 200, through: 330 }])
  })

  it('stops replaying when ingest does not get on, and says so', async () => {
    const { api } = createBox([{ ...STEP, settled: false, next: { after: 200, through: 330 } }])
    const outcome = await runSteps(api, { action: 'replay', selection: {} }, () => undefined)
    assert.deepEqual([outcome.entries, outcome.isSettled], [200, false])
  })

  it('deletes what was there when it began, to the end', async () => {
    const { api, asked } = createBox([
      { ...STEP, next: { after: 0, through: 9 } },
      { ...STEP, entries: 1 },
    ])
    const work = { action: 'delete', selection: { sensor: 's' } } as const
    assert.equal((await runSteps(api, work, () => undefined)).entries, 201)
    assert.deepEqual(asked, [{ sensor: 's' }, { sensor: 's', through: 9 }])
  })
})

describe('what keeps readings from being stored', () => {
  const overview = (
    journal: Partial<OpsOverview['journal']> = {},
    ingest: Partial<OpsOverview['ingest']> = {},
  ): Pick<OpsOverview, 'journal' | 'ingest'> => ({
    journal: { depth: 0, oldestAgeMs: null, bytes: 0, maxBytes: 1_000, full: null, ...journal },
    ingest: {
      state: 'running',
      error: null,
      messagesPerSecond: 0,
      readingsPerSecond: 0,
      readingsStored: 0,
      readingsDuplicate: 0,
      readingsCorrected: 0,
      messagesQuarantined: 0,
      ...ingest,
    },
  })
  const retrying = overview({}, { state: 'retrying', error: 'No answer' })

  it('is nothing while all goes well, and also at a start', () => {
    assert.equal(nextTrouble(null, overview(), 0), null)
    assert.equal(nextTrouble(null, overview({}, { state: 'starting' }), 0), null)
  })

  it('is a store first, and the full journal as soon as devices are held back', () => {
    const first = nextTrouble(null, retrying, 0)
    assert.deepEqual(first, { state: 'retrying', reason: 'No answer' })
    const both = { ...retrying, journal: overview({ full: '8 GB of 8 GB' }).journal }
    assert.deepEqual(nextTrouble(first, both, 1), { state: 'full', reason: '8 GB of 8 GB' })
  })

  it('is over for as long as the queue lasts and the news are new, then forgotten', () => {
    let trouble: Trouble | null = nextTrouble(null, retrying, 0)
    const draining = overview({ depth: 900, oldestAgeMs: 60_000 })
    trouble = nextTrouble(trouble, draining, 1_000)
    assert.deepEqual(trouble, { state: 'recovered', sinceMs: 1_000 })
    assert.deepEqual(nextTrouble(trouble, draining, 100_000), trouble)
    assert.deepEqual(nextTrouble(trouble, overview(), 20_000), trouble)
    assert.equal(nextTrouble(trouble, overview(), 32_000), null)
    assert.deepEqual(nextTrouble(trouble, retrying, 3_000), { state: 'retrying', reason: 'No answer' })
  })
})
