import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { QuarantineEntry, QuarantineQuery, QuarantineTotal, Registry } from '@pulso/stores'
import { QUARANTINE_SAMPLE_BYTES, type QuarantineBounds } from '@pulso/stores/limits'
import { entry, NOW_MS } from './support/registry-samples.ts'

type Open = (options?: { quarantine?: Partial<QuarantineBounds> }) => Promise<Registry>
type Start = (context: TestContext) => Promise<Open>

const NOTHING = { position: 1, newSensors: [], states: [] }

/** What every registry driver's quarantine must do. */
export function testQuarantine(start: Start): void {
  testLists(start)
  testBounds(start)
  testGoing(start)
}

async function keep(registry: Registry, ...quarantine: QuarantineEntry[]): Promise<void> {
  await registry.commitIngest({ ...NOTHING, quarantine })
}

async function idsOf(registry: Registry, query: Partial<QuarantineQuery> = {}): Promise<number[]> {
  return (await registry.listQuarantine({ limit: 1_000, ...query })).map(({ id }) => id)
}

async function totalsOf(registry: Registry): Promise<Record<string, [count: number, kept: number]>> {
  const totals = await registry.listQuarantineTotals({ limit: 1_000 })
  return Object.fromEntries(
    totals.map(({ reason, sensorId, metric, count, kept }) => [
      [reason, sensorId ?? '', metric ?? ''].join(' ').trim(),
      [count, kept],
    ]),
  )
}

function testLists(start: Start): void {
  test('lists the quarantine in pages from either end, by what is asked for', async (context) => {
    const registry = await (await start(context))()
    const quarantine = Array.from({ length: 10 }, (_, n) =>
      entry({
        reason: n % 2 ? 'clock' : 'out-of-range',
        sensorId: n % 5 === 0 ? null : `s${n % 5}`,
        receivedAtMs: NOW_MS + n,
      }),
    )
    await keep(registry, ...quarantine)
    const ids = (query: Partial<QuarantineQuery>) => idsOf(registry, query)
    assert.deepEqual(await ids({ limit: 3 }), [10, 9, 8])
    assert.deepEqual(await ids({ limit: 3, beforeId: 8 }), [7, 6, 5])
    assert.deepEqual(await ids({ limit: 3, afterId: 0 }), [1, 2, 3])
    assert.deepEqual(await ids({ afterId: 7, throughId: 9 }), [8, 9])
    assert.deepEqual(await ids({ reason: 'clock' }), [10, 8, 6, 4, 2])
    assert.deepEqual(await ids({ sensorId: 's1' }), [7, 2])
    assert.deepEqual(await ids({ sensorId: 's1', reason: 'out-of-range', beforeId: 9 }), [7])
    assert.deepEqual(await ids({ receivedBeforeMs: NOW_MS + 2 }), [2, 1])
    assert.deepEqual(await ids({ id: 4 }), [4])
    const { byReason, bySensor } = await registry.countQuarantine()
    assert.deepEqual(byReason, { clock: 5, 'out-of-range': 5 })
    assert.deepEqual(bySensor, { s1: 2, s2: 2, s3: 2, s4: 2 })
  })

  test('counts the same mistake in one row, with when it was made and the latest as a sample', async (context) => {
    const registry = await (await start(context))()
    const large = new Uint8Array(QUARANTINE_SAMPLE_BYTES + 100).fill(120)
    await keep(registry, entry({ metric: 'level' }), entry({ metric: 'lid' }), entry({ sensorId: null }))
    await keep(registry, entry({ metric: 'level', receivedAtMs: NOW_MS + 5, detail: 'New', payload: large }))
    assert.deepEqual(await totalsOf(registry), {
      'invalid-json s1 level': [2, 2],
      'invalid-json s1 lid': [1, 1],
      'invalid-json': [1, 1],
    })
    const [total] = await registry.listQuarantineTotals({ limit: 1, sensorId: 's1' })
    const [latest] = await registry.listQuarantine({ limit: 1 })
    assert.ok(latest)
    assert.deepEqual(total, {
      id: latest.totalId,
      reason: 'invalid-json',
      sensorId: 's1',
      metric: 'level',
      count: 2,
      kept: 2,
      firstReceivedAtMs: NOW_MS,
      lastReceivedAtMs: NOW_MS + 5,
      sample: {
        detail: 'New',
        topic: entry().topic,
        payload: new Uint8Array(QUARANTINE_SAMPLE_BYTES).fill(120),
      },
    } satisfies QuarantineTotal)
    assert.deepEqual(await idsOf(registry, { totalId: total.id }), [4, 1])
  })
}

function testBounds(start: Start): void {
  test('drops the oldest of a quarantine with too many entries or bytes, and counts them', async (context) => {
    const open = await start(context)
    const few = await open({ quarantine: { maxEntries: 3 } })
    await keep(few, entry(), entry())
    await keep(few, entry(), entry())
    assert.deepEqual(await idsOf(few), [4, 3, 2])
    await keep(few, ...Array.from({ length: 5 }, () => entry()))
    assert.deepEqual(await idsOf(few), [9, 8, 7])

    const small = await open({ quarantine: { maxBytes: 1_000 } })
    const large = entry({ payload: Buffer.alloc(600) })
    await keep(small, large, entry(), large)
    assert.deepEqual(await idsOf(small), [12, 11])
    assert.deepEqual(await totalsOf(small), { 'invalid-json s1': [12, 2] })
    const { entries, bytes, dropped } = await small.countQuarantine()
    assert.deepEqual({ entries, bytes, dropped }, { entries: 2, bytes: 603, dropped: 10 })
  })

  test('lets one device’s flood push out its own entries alone, and goes on counting', async (context) => {
    const registry = await (await start(context))({ quarantine: { maxEntries: 20, maxEntriesPerTotal: 5 } })
    await keep(registry, entry({ sensorId: 'quiet' }))
    const flood = (count: number) => Array.from({ length: count }, () => entry({ sensorId: 'loud' }))
    await keep(registry, ...flood(3))
    await keep(registry, ...flood(1_000))
    await keep(registry, entry({ sensorId: 'loud', reason: 'clock' }), ...flood(3))
    assert.deepEqual(await totalsOf(registry), {
      'invalid-json quiet': [1, 1],
      'invalid-json loud': [1_006, 5],
      'clock loud': [1, 1],
    })
    const { entries, dropped, bySensor } = await registry.countQuarantine()
    assert.deepEqual([entries, dropped, bySensor], [7, 1_001, { quiet: 1, loud: 1_007 }])
    const newest = await registry.listQuarantine({ limit: 4 })
    assert.deepEqual(
      newest.map(({ reason }) => reason),
      ['invalid-json', 'invalid-json', 'invalid-json', 'clock'],
    )
  })

  test('sums up in one row what made-up sensors beyond the bound send', async (context) => {
    const registry = await (await start(context))({ quarantine: { maxTotals: 2, maxEntriesPerTotal: 3 } })
    for (let n = 0; n < 5; n++)
      await keep(registry, entry({ sensorId: `a${n}` }), entry({ sensorId: `b${n}` }))
    await keep(registry, entry({ sensorId: 'a0' }))
    assert.deepEqual(await totalsOf(registry), {
      'invalid-json a0': [2, 2],
      'invalid-json b0': [1, 1],
      'invalid-json *': [8, 3],
    })
  })
}

function testGoing(start: Start): void {
  test('deletes what a filter means in steps, and then the totals that only count', async (context) => {
    const registry = await (await start(context))({ quarantine: { maxEntriesPerTotal: 2 } })
    const flood = Array.from({ length: 4 }, (_, n) => entry({ receivedAtMs: NOW_MS + n }))
    await keep(registry, ...flood, entry({ sensorId: 's2', receivedAtMs: NOW_MS + 9 }))
    assert.equal(await registry.purgeQuarantine({ receivedBeforeMs: NOW_MS }, 10), 0)
    assert.equal(await registry.purgeQuarantine({ receivedBeforeMs: NOW_MS + 3 }, 10), 1)
    assert.deepEqual(await totalsOf(registry), { 'invalid-json s2': [1, 1], 'invalid-json s1': [3, 1] })
    assert.equal(await registry.purgeQuarantine({ receivedBeforeMs: NOW_MS + 4 }, 1), 1)
    assert.equal(await registry.purgeQuarantine({ receivedBeforeMs: NOW_MS + 4 }, 1), 0)
    assert.deepEqual(await totalsOf(registry), { 'invalid-json s2': [1, 1] })
    assert.equal(await registry.purgeQuarantine({ reason: 'clock' }, 10), 0)
    assert.equal(await registry.purgeQuarantine({}, 10), 1)
    const { entries, bytes, byReason } = await registry.countQuarantine()
    assert.deepEqual({ entries, bytes, byReason }, { entries: 0, bytes: 0, byReason: {} })
  })

  test('counts what is replayed no more, unless it comes back', async (context) => {
    const registry = await (await start(context))()
    const [first, second] = [entry(), entry({ receivedAtMs: NOW_MS + 1 })]
    await keep(registry, first, second)
    assert.equal(await registry.releaseQuarantine([1, 2, 77]), 2)
    assert.deepEqual(await totalsOf(registry), {})
    await keep(registry, { ...second, isReturned: true })
    assert.deepEqual(await totalsOf(registry), { 'invalid-json s1': [1, 1] })
    assert.deepEqual(await idsOf(registry), [3])
    assert.equal((await registry.countQuarantine()).returned, 1)
  })

  test('keeps what comes back once, also when that is before the entry it was has gone', async (context) => {
    const registry = await (await start(context))()
    const [first, second] = [entry(), entry({ receivedAtMs: NOW_MS + 1 })]
    await keep(registry, first, second)
    await keep(registry, { ...first, isReturned: true })
    assert.deepEqual(await idsOf(registry), [3, 2])
    assert.deepEqual(await totalsOf(registry), { 'invalid-json s1': [2, 2] })
    assert.equal(await registry.releaseQuarantine([1, 2]), 1)
    assert.deepEqual(await totalsOf(registry), { 'invalid-json s1': [1, 1] })
    assert.equal((await registry.countQuarantine()).bytes, first.payload.length)
  })
}
