import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { Kinds, Reading, Values } from '@pulso/model'
import type { Readings } from '@pulso/stores'
import { createKinds, LEVEL } from './support/kinds.ts'

/** One test's store, empty at first, which may be opened again and again. */
export interface ReadingsUnderTest {
  open(kinds: Kinds): Promise<Readings>
  remove(): Promise<void>
}

const NOW_MS = Date.UTC(2026, 2, 29, 1, 0, 0, 123)
const ALL = { fromMs: 0, toMs: NOW_MS * 2, limit: 1_000 }

/** What every readings driver must do. */
export function testReadings(
  driver: string,
  create: () => Promise<ReadingsUnderTest>,
  options: { skip?: string | false } = {},
): void {
  const open = async (context: TestContext, kinds = createKinds()) => {
    const store = await create()
    let readings = await store.open(kinds)
    context.after(async () => {
      await readings.close()
      await store.remove()
    })
    const reopen = async (again = kinds): Promise<Readings> => {
      await readings.close()
      return (readings = await store.open(again))
    }
    return { readings, reopen }
  }

  describe(`readings conformance: ${driver}`, options, () => {
    test('gives back numbers, states and both times as they were', async (context) => {
      const { readings } = await open(context)
      const stored = reading('s1', 0, { level: 12.375, lid: 'open', batteryLevel: 0.5 })
      await insert(readings, 1, [stored])
      assert.deepEqual(await readings.find('bin', [stored]), [stored])
    })

    test('leaves out what a reading does not have', async (context) => {
      const { readings } = await open(context)
      const stored = [reading('s1', 0, { level: 1 }), reading('s2', 0, { lid: 'shut' }), reading('s3', 0, {})]
      await insert(readings, 1, stored)
      assert.deepEqual(sorted(await readings.find('bin', stored)), stored)
    })

    test('takes a fraction after whole numbers, and the other way round', async (context) => {
      const { readings } = await open(context)
      const levels = [1, 2.5, 3, -0.001, 1e9, 0]
      for (const [n, level] of levels.entries()) await insert(readings, n + 1, [reading('s1', n, { level })])
      const { points } = await readings.history({ kind: 'bin', sensorId: 's1', metric: 'level', ...ALL })
      assert.deepEqual(
        points.map(({ value }) => value),
        levels,
      )
    })

    test('keeps any text as it is', async (context) => {
      const { readings } = await open(context)
      const texts = [
        'à ñ Ω 漢 🅿️',
        `it's "quoted", \\ = and more`,
        'two\nlines',
        ' ',
        "'); DROP TABLE bin; --",
      ]
      const stored = texts.map((lid, n) => reading('s1', n, { lid }))
      await insert(readings, 1, stored)
      assert.deepEqual(sorted(await readings.find('bin', stored)), stored)
    })

    test('keeps sensors with odd names apart', async (context) => {
      const { readings } = await open(context)
      const ids = ['s', 'S', 's.1', 's:1', 's-1', 's_1', "s'1", 's"1', 's\\1', 's 1,a=b', 'ñ']
      const stored = ids.map((id, n) => reading(id, 0, { level: n }))
      await insert(readings, 1, stored)
      assert.deepEqual(sorted(await readings.find('bin', stored)), sorted(stored))
      for (const [n, sensorId] of ids.entries()) {
        const { points } = await readings.history({ kind: 'bin', sensorId, metric: 'level', ...ALL })
        assert.deepEqual(points, [{ timeMs: NOW_MS, value: n }], sensorId)
      }
    })

    test('keeps kinds apart, also those named after words of query languages', async (context) => {
      const { readings } = await open(context)
      const [bin, order] = [reading('s1', 0, { level: 1 }), reading('s1', 0, { select: 2, group: 'open' })]
      await readings.write({
        position: 1,
        inserts: new Map([
          ['bin', [bin]],
          ['order', [order]],
        ]),
        replacements: new Map(),
      })
      assert.deepEqual(await readings.find('bin', [bin]), [bin])
      assert.deepEqual(await readings.find('order', [order]), [order])
      const { points } = await readings.history({ kind: 'order', sensorId: 's1', metric: 'group', ...ALL })
      assert.deepEqual(points, [{ timeMs: NOW_MS, value: 'open' }])
    })

    test('ends in the same state when a batch comes again', async (context) => {
      const { readings } = await open(context)
      const stored = [reading('s1', 0, { level: 1 }), reading('s1', 1, { level: 2 })]
      const replaced = reading('s1', 1, { level: 3, lid: 'open' })
      const batches = [
        { position: 5, inserts: new Map([['bin', stored]]), replacements: new Map() },
        { position: 6, inserts: new Map(), replacements: new Map([['bin', [replaced]]]) },
      ]
      for (const batch of [...batches, ...batches.slice(1)]) await readings.write(batch)
      assert.deepEqual(sorted(await readings.find('bin', stored)), [stored[0], replaced])
      const { points } = await readings.history({ kind: 'bin', sensorId: 's1', metric: 'level', ...ALL })
      assert.deepEqual(
        points.map(({ value }) => value),
        [1, 3],
      )
    })

    test('puts a replacement in the place of the stored reading, and touches no other', async (context) => {
      const { readings } = await open(context)
      const stored = [
        reading('s1', 0, { level: 1 }),
        reading('s2', 0, { level: 1 }),
        reading('s1', 1, { level: 1 }),
      ]
      await insert(readings, 1, stored)
      const merged = { ...reading('s1', 0, { level: 2, lid: 'shut' }), receivedAtMs: NOW_MS + 9_000 }
      await readings.write({ position: 2, inserts: new Map(), replacements: new Map([['bin', [merged]]]) })
      assert.deepEqual(sorted(await readings.find('bin', stored)), sorted([merged, ...stored.slice(1)]))
    })

    test('finds exactly the readings asked for among many', async (context) => {
      const { readings } = await open(context)
      const stored = Array.from({ length: 3_000 }, (_, n) =>
        reading(`s${n % 250}`, Math.floor(n / 250) * 40_000 + (n % 7), { level: n }),
      )
      await insert(readings, 1, stored)
      const wanted = stored.filter((_, n) => n % 3 === 0)
      const missing = wanted.map(({ sensorId, timeMs }) => ({ sensorId, timeMs: timeMs + 20_000 }))
      const found = await readings.find('bin', [...wanted, ...missing, ...wanted.slice(0, 10)])
      assert.deepEqual(sorted(found), sorted(wanted))
      assert.deepEqual(await readings.find('bin', missing), [])
      assert.deepEqual(await readings.find('bin', []), [])
    })

    test('finds the readings of one sensor over a long time', async (context) => {
      const { readings } = await open(context)
      const stored = Array.from({ length: 400 }, (_, n) => reading('s1', n * 3_600_000, { level: n }))
      await insert(readings, 1, stored)
      assert.deepEqual(sorted(await readings.find('bin', stored)), stored)
    })

    test('tells a history oldest first, both ends included', async (context) => {
      const { readings } = await open(context)
      const late = [3, 1, 4, 0, 2].map((n) => reading('s1', n * 1_000, { level: n }))
      await insert(readings, 1, [
        ...late,
        reading('s2', 2_000, { level: 99 }),
        reading('s1', 2_500, { lid: 'open' }),
      ])
      const query = { kind: 'bin', sensorId: 's1', metric: 'level', limit: 10 }
      const { points, truncated } = await readings.history({
        ...query,
        fromMs: NOW_MS + 1_000,
        toMs: NOW_MS + 3_000,
      })
      assert.deepEqual(
        points,
        [1, 2, 3].map((n) => ({ timeMs: NOW_MS + n * 1_000, value: n })),
      )
      assert.equal(truncated, false)
    })

    test('tells the newest of a history that is longer than its limit, and that there is more', async (context) => {
      const { readings } = await open(context)
      await insert(
        readings,
        1,
        Array.from({ length: 5 }, (_, n) => reading('s1', n, { level: n })),
      )
      const query = { kind: 'bin', sensorId: 's1', metric: 'level', fromMs: 0, toMs: NOW_MS * 2 }
      const cut = await readings.history({ ...query, limit: 3 })
      assert.deepEqual(
        cut.points.map(({ value }) => value),
        [2, 3, 4],
      )
      assert.equal(cut.truncated, true)
      const whole = await readings.history({ ...query, limit: 5 })
      assert.deepEqual(
        { count: whole.points.length, truncated: whole.truncated },
        { count: 5, truncated: false },
      )
    })

    test('tells a history from the beginning of time to its end', async (context) => {
      const { readings } = await open(context)
      await insert(readings, 1, [reading('s1', 0, { level: 1 })])
      const query = { kind: 'bin', sensorId: 's1', metric: 'level', limit: 5 }
      const { points } = await readings.history({ ...query, fromMs: -8.64e15, toMs: 8.64e15 })
      assert.deepEqual(points, [{ timeMs: NOW_MS, value: 1 }])
    })

    test('has an empty history for a sensor that it does not know', async (context) => {
      const { readings } = await open(context)
      const query = { kind: 'bin', sensorId: 'nobody', metric: 'level', ...ALL }
      assert.deepEqual(await readings.history(query), { points: [], truncated: false })
    })

    test('refuses kinds and metrics that there are not', async (context) => {
      const { readings } = await open(context)
      const query = { kind: 'bin', sensorId: 's1', metric: 'level', ...ALL }
      await assert.rejects(readings.history({ ...query, kind: 'nokind' }), { code: 'unknown-kind' })
      await assert.rejects(readings.history({ ...query, metric: 'nometric' }), { code: 'unknown-metric' })
      await assert.rejects(readings.find('nokind', [{ sensorId: 's1', timeMs: 1 }]), { code: 'unknown-kind' })
      const inserts = new Map([['nokind', [reading('s1', 0, {})]]])
      await assert.rejects(readings.write({ position: 1, inserts, replacements: new Map() }), {
        code: 'unknown-kind',
      })
    })

    test('keeps its readings when it is opened again with a kind that gained a metric', async (context) => {
      const { readings, reopen } = await open(context)
      const old = reading('s1', 0, { level: 1, lid: 'open' })
      await insert(readings, 1, [old])
      const grown = await reopen(createKinds({ weight: LEVEL }))
      const fresh = reading('s1', 1, { level: 2, weight: 3.5 })
      await insert(grown, 2, [fresh])
      assert.deepEqual(sorted(await grown.find('bin', [old, fresh])), [old, fresh])

      const shrunk = await reopen(createKinds())
      const without = reading('s1', 2, { level: 4 })
      await insert(shrunk, 3, [without])
      assert.deepEqual(await shrunk.find('bin', [without]), [without])
    })

    test('takes many writes and queries at once', async (context) => {
      const { readings } = await open(context)
      const stored = Array.from({ length: 20 }, (_, n) => reading('s1', n, { level: n }))
      const query = { kind: 'bin', sensorId: 's1', metric: 'level', ...ALL }
      await Promise.all(
        stored.flatMap((each, n) => [
          insert(readings, n + 1, [each]),
          readings.history(query),
          readings.check(),
        ]),
      )
      assert.equal((await readings.history(query)).points.length, 20)
    })
  })
}

/** A reading at `afterMs` behind the tests' common start. */
export function reading(sensorId: string, afterMs: number, values: Values): Reading {
  return { sensorId, timeMs: NOW_MS + afterMs, receivedAtMs: NOW_MS + afterMs + 42, values }
}

export async function insert(readings: Readings, position: number, list: readonly Reading[]): Promise<void> {
  await readings.write({ position, inserts: new Map([['bin', list]]), replacements: new Map() })
}

export function sorted(readings: readonly Reading[]): Reading[] {
  const key = ({ timeMs, sensorId }: Reading): string => `${timeMs} ${sensorId}`
  return [...readings].sort((a, b) => (key(a) < key(b) ? -1 : 1))
}
