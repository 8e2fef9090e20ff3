import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { DueHour, Registry } from '@pulso/stores'

type Start = (context: TestContext) => Promise<() => Promise<Registry>>

const HOUR_MS = 3_600_000
const COMMIT = { newSensors: [], states: [], quarantine: [] }

export function testRollupMarks(start: Start): void {
  test('keeps up to where each kind’s buckets are stored', async (context) => {
    const registry = await (await start(context))()
    assert.deepEqual(await registry.listRollupMarks(), [])
    await registry.putRollupMark({ kind: 'bin', what: '5m', untilMs: 300_000 })
    await registry.putRollupMark({ kind: 'bin', what: 'raw', untilMs: 1 })
    await registry.putRollupMark({ kind: 'bin', what: '5m', untilMs: 600_000 })
    assert.deepEqual(
      (await registry.listRollupMarks()).toSorted((a, b) => a.what.localeCompare(b.what)),
      [
        { kind: 'bin', what: '5m', untilMs: 600_000 },
        { kind: 'bin', what: 'raw', untilMs: 1 },
      ],
    )
  })

  test('takes due hours with a batch of ingest, all or nothing, and once each', async (context) => {
    const registry = await (await start(context))()
    const first = { kind: 'bin', hourMs: HOUR_MS, position: 4 }
    await registry.commitIngest({ ...COMMIT, position: 5, dueHours: [first] })
    await registry.commitIngest({ ...COMMIT, position: 7, dueHours: [{ ...first, position: 7 }] })
    assert.deepEqual(await registry.listDueHours(), [{ ...first, position: 7 }])
    const broken = { kind: 'bin', hourMs: undefined as unknown as number, position: 8 }
    const commit = { ...COMMIT, position: 8, dueHours: [{ ...first, hourMs: 0 }, broken] }
    await assert.rejects(registry.commitIngest(commit))
    assert.deepEqual(await registry.listDueHours(), [{ ...first, position: 7 }])
    assert.equal(await registry.ingestPosition(), 7)
  })

  test('removes a due hour only when no later batch brought it up again', async (context) => {
    const registry = await (await start(context))()
    const hour = (position: number): DueHour => ({ kind: 'bin', hourMs: HOUR_MS, position })
    await registry.addDueHours([hour(0)])
    await registry.commitIngest({ ...COMMIT, position: 9, dueHours: [hour(9)] })
    await registry.addDueHours([hour(0)])
    await registry.removeDueHours([hour(8)])
    assert.deepEqual(await registry.listDueHours(), [hour(9)])
    await registry.removeDueHours([hour(9)])
    assert.deepEqual(await registry.listDueHours(), [])
  })
}
