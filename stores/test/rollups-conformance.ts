import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { createCalendar, HOUR_MS, MINUTE_MS, type Kinds, type Reading } from '@pulso/model'
import type { AggregateQuery, AggregateRow, Readings, Rollups, SensorPlace } from '@pulso/stores'
import { insert } from './readings-conformance.ts'
import { testAgainstBruteForce } from './rollups-random-conformance.ts'
import { LEVEL } from './support/kinds.ts'
import { createRollupKinds } from './support/rollup-samples.ts'

export type ReadingsWithRollups = Readings & { readonly rollups: Rollups }

/** One test's store, empty at first, which may be opened again and again. */
export interface RollupsUnderTest {
  open(kinds: Kinds): Promise<ReadingsWithRollups>
  remove(): Promise<void>
}

const calendar = createCalendar('Europe/Madrid')

const T = Date.parse('2026-05-04T10:00:00Z')
/** Of the hour that begins at `T`, and the one behind it. */
const HOURS = calendar.bucketsOf('1h', T, T + 2 * HOUR_MS)
const LATER = T + 10 * HOUR_MS

/** What the aggregates of every readings driver must do. */
export function testRollups(
  driver: string,
  create: () => Promise<RollupsUnderTest>,
  options: { skip?: string | false } = {},
): void {
  const open = async (context: TestContext, kinds = createRollupKinds()) => {
    const store = await create()
    let readings = await store.open(kinds)
    context.after(async () => {
      await readings.close()
      await store.remove()
    })
    const reopen = async (again: Kinds): Promise<ReadingsWithRollups> => {
      await readings.close()
      return (readings = await store.open(again))
    }
    return { readings, rollups: readings.rollups, kinds, reopen }
  }

  describe(`rollups conformance: ${driver}`, options, () => {
    testAgainstBruteForce(open)

    test('hold a state until the next one, until it no longer holds, and not beyond now', async (context) => {
      const { readings, rollups } = await open(context)
      await rollups.putPlaces([place('s1', 'a', 30)])
      await insert(readings, 1, [
        said('s1', -10, { lid: 'open' }),
        said('s1', 5, { level: 1 }),
        said('s1', 15, { lid: 'shut' }),
        said('s1', 55, { lid: 'shut' }),
        said('s1', 70, { lid: 'open' }),
      ])
      const nowMs = T + 80 * MINUTE_MS
      await rollups.rollUp({ kind: 'bin', resolution: '1h', buckets: HOURS, nowMs })
      const [first, second] = await rollups.aggregates(hourly('sensor', 's1', 'lid'))
      const minute = MINUTE_MS
      assert.deepEqual(first, {
        fromMs: T,
        parts: {
          lid_count: 2,
          lid_last: 'shut',
          lid_last_at: T + 55 * minute,
          // From before the bucket until 10:15; then shut until 10:45, unknown, and shut again from 10:55.
          lid_open_ms: 15 * minute,
          lid_shut_ms: 35 * minute,
        },
        elapsedMs: HOUR_MS,
      })
      assert.deepEqual(second?.parts, {
        lid_count: 1,
        lid_last: 'open',
        lid_last_at: T + 70 * minute,
        lid_shut_ms: 10 * minute,
        lid_open_ms: 10 * minute,
      })
      assert.equal(second.elapsedMs, 20 * minute)
    })

    test('know a sensor in the hours in which its state still holds, and in no others', async (context) => {
      const { readings, rollups } = await open(context)
      await rollups.putPlaces([place('s1', 'a', 90), place('s2', 'a', 60)])
      await insert(readings, 1, [said('s1', 0, { lid: 'open' }), said('s2', 0, { lid: 'shut', level: 3 })])
      await rollups.rollUp({ kind: 'bin', resolution: '1h', buckets: HOURS, nowMs: LATER })
      const parts = (await rollups.aggregates(hourly('city', '', 'lid'))).map((row) => [
        row.elapsedMs,
        row.parts.lid_open_ms,
        row.parts.lid_shut_ms,
      ])
      assert.deepEqual(parts, [
        [2 * HOUR_MS, HOUR_MS, HOUR_MS],
        [HOUR_MS, HOUR_MS / 2, undefined],
      ])
      assert.equal((await rollups.aggregates(hourly('zone', 'a', 'level'))).length, 1)
    })

    test('hold a value for days where a sensor is that quiet, and not for its neighbours', async (context) => {
      const { readings, rollups } = await open(context)
      const day = 24 * 60
      await rollups.putPlaces([place('s1', 'a', 5 * day), place('s2', 'a', 2 * day), place('s3', 'a', day)])
      await insert(readings, 1, [
        said('s1', -4 * day, { lid: 'open', emptied: 7 }),
        said('s2', -2 * day - 1, { lid: 'open' }),
        said('s3', -day + 30, { lid: 'shut' }),
        said('s1', 45, { emptied: 9 }),
      ])
      await rollups.rollUp({ kind: 'bin', resolution: '1h', buckets: HOURS, nowMs: LATER })
      const [row] = await rollups.aggregates(hourly('city', '', 'lid'))
      assert.deepEqual(row, {
        fromMs: T,
        parts: { lid_open_ms: HOUR_MS, lid_shut_ms: HOUR_MS / 2 },
        elapsedMs: 2 * HOUR_MS,
      })
      const [counter] = await rollups.aggregates(hourly('zone', 'a', 'emptied'))
      assert.equal(counter?.parts.emptied_increase, 2)
    })

    test('add up what counters rose, from 0 where they began anew', async (context) => {
      const { readings, rollups } = await open(context)
      await rollups.putPlaces([place('s1', 'a', 30), place('s2', 'a', 30)])
      await insert(readings, 1, [
        said('s1', -10, { emptied: 100 }),
        said('s1', 10, { emptied: 110 }),
        said('s1', 20, { emptied: 4 }),
        said('s1', 59, { emptied: 6 }),
        // Too long before the bucket to be known.
        said('s2', -30, { emptied: 1 }),
        said('s2', 5, { emptied: 50 }),
        said('s2', 50, { emptied: 50 }),
      ])
      await rollups.rollUp({ kind: 'bin', resolution: '1h', buckets: HOURS, nowMs: LATER })
      const increases = async (id: string): Promise<unknown> =>
        (await rollups.aggregates(hourly('sensor', id, 'emptied')))[0]?.parts.emptied_increase
      assert.deepEqual([await increases('s1'), await increases('s2')], [16, 0])
    })

    test('take the last of those who spoke at the same time from the greatest id', async (context) => {
      const { readings, rollups } = await open(context)
      await rollups.putPlaces(['s1', 's2', 's10'].map((id) => place(id, 'a', 30)))
      await insert(readings, 1, [
        said('s10', 20, { level: 10 }),
        said('s2', 20, { level: 2 }),
        said('s1', 20, { level: 1 }),
      ])
      await rollups.rollUp({ kind: 'bin', resolution: '1h', buckets: HOURS, nowMs: LATER })
      assert.equal((await rollups.aggregates(hourly('zone', 'a', 'level')))[0]?.parts.level_last, 2)
    })

    test('count a sensor where it is when they are rolled up, and leave it out while it is nowhere', async (context) => {
      const { readings, rollups } = await open(context)
      await insert(readings, 1, [said('s1', 20, { level: 4 })])
      const plan = { kind: 'bin', resolution: '1h', buckets: HOURS, nowMs: LATER } as const
      const counts = async (): Promise<unknown[]> => {
        await rollups.rollUp(plan)
        const rows = [hourly('city', '', 'level'), hourly('zone', 'a', 'level'), hourly('zone', 'b', 'level')]
        return Promise.all(rows.map(async (query) => (await rollups.aggregates(query))[0]?.parts.level_count))
      }
      assert.deepEqual(await counts(), [undefined, undefined, undefined])
      await rollups.putPlaces([place('s1', 'a', 30)])
      assert.deepEqual(await counts(), [1, 1, undefined])
      await rollups.putPlaces([place('s1', 'b', 30)])
      assert.deepEqual(await counts(), [1, undefined, 1])
      await rollups.putPlaces([place('s1', null, 30)])
      assert.deepEqual(await counts(), [1, undefined, undefined])
    })

    test('give only the buckets asked for, and none that were never rolled up', async (context) => {
      const { readings, rollups } = await open(context)
      await rollups.putPlaces([place('s1', 'a', 30)])
      await insert(
        readings,
        1,
        [0, 1, 2, 3].map((n) => said('s1', n * 60 + 1, { level: n })),
      )
      const buckets = calendar.bucketsOf('1h', T, T + 4 * HOUR_MS)
      const some = buckets.filter((_, n) => n !== 1)
      await rollups.rollUp({ kind: 'bin', resolution: '1h', buckets: some, nowMs: LATER })
      const asked = (list: typeof buckets) =>
        rollups.aggregates({ ...hourly('city', '', 'level'), buckets: list })
      const times = (rows: readonly AggregateRow[]): number[] => rows.map(({ fromMs }) => fromMs)
      assert.deepEqual(times(await asked(buckets)), times(some as unknown as AggregateRow[]))
      assert.deepEqual(times(await asked(buckets.slice(0, 2))), [T])
      assert.deepEqual(await asked([]), [])
      assert.deepEqual(await rollups.measure({ ...hourly('city', '', 'level'), buckets: [] }, LATER), [])
      await rollups.rollUp({ kind: 'bin', resolution: '1h', buckets: [], nowMs: LATER })
    })

    test('know nothing of strangers, and refuse kinds and metrics that there are not', async (context) => {
      const { rollups } = await open(context)
      for (const query of [hourly('sensor', "x' OR 1=1", 'level'), hourly('zone', '"', 'lid')]) {
        assert.deepEqual(await rollups.aggregates(query), [])
        assert.deepEqual(await rollups.measure(query, LATER), [])
      }
      for (const [change, code] of [
        [{ kind: 'nokind' }, 'unknown-kind'],
        [{ metric: 'constructor' }, 'unknown-metric'],
      ] as const) {
        const query = { ...hourly('city', '', 'level'), ...change }
        await assert.rejects(rollups.aggregates(query), { code })
        await assert.rejects(rollups.measure(query, LATER), { code })
      }
      const plan = { resolution: '1h', buckets: HOURS, nowMs: LATER } as const
      await assert.rejects(rollups.rollUp({ kind: 'nokind', ...plan }), { code: 'unknown-kind' })
    })

    test('are kept when they are opened again with a kind that gained a metric', async (context) => {
      const { readings, rollups, reopen } = await open(context)
      await rollups.putPlaces([place('s1', 'a', 30)])
      await insert(readings, 1, [said('s1', 1, { level: 1 })])
      await rollups.rollUp({ kind: 'bin', resolution: '1h', buckets: HOURS.slice(0, 1), nowMs: LATER })

      const grown = await reopen(createRollupKinds({ weight: LEVEL }))
      await grown.rollups.putPlaces([place('s1', 'a', 30)])
      await insert(grown, 2, [said('s1', 61, { level: 2, weight: 9 })])
      await grown.rollups.rollUp({
        kind: 'bin',
        resolution: '1h',
        buckets: HOURS.slice(1),
        nowMs: LATER,
      })
      const counts = async (metric: string): Promise<unknown[]> =>
        (await grown.rollups.aggregates(hourly('zone', 'a', metric))).map(
          ({ parts }) => parts[`${metric}_count`],
        )
      assert.deepEqual([await counts('level'), await counts('weight')], [[1, 1], [1]])
    })

    test('say where readings begin, how much there is, and forget what is old', async (context) => {
      const { readings, rollups } = await open(context)
      assert.equal(await rollups.oldestReadingMs('bin'), null)
      await rollups.putPlaces([place('s1', 'a', 30)])
      await insert(
        readings,
        1,
        [0, 1, 24 * 40].map((hour) => said('s1', hour * 60, { level: hour })),
      )
      assert.equal(await rollups.oldestReadingMs('bin'), T)
      assert.equal(await rollups.oldestReadingMs('order'), null)
      const newMs = T + 24 * 40 * HOUR_MS
      const kept = { '5m': 0, '1h': 0, '1d': 0 }
      for (const resolution of ['5m', '1h', '1d'] as const) {
        const buckets = [T, newMs].map((timeMs) => calendar.bucketAt(resolution, timeMs))
        await rollups.rollUp({ kind: 'bin', resolution, buckets, nowMs: newMs + HOUR_MS })
        await rollups.forget(resolution, newMs - HOUR_MS)
        const query = { ...hourly('city', '', 'level'), resolution, buckets }
        kept[resolution] = (await rollups.aggregates(query)).length
      }
      assert.deepEqual(kept, { '5m': 1, '1h': 1, '1d': 1 })
      assert.ok([2, null].includes(await rollups.forget('raw', newMs - HOUR_MS)))
      assert.equal(await rollups.oldestReadingMs('bin'), newMs)
      const { totalBytes, rows } = await rollups.sizes()
      assert.ok(totalBytes === null || totalBytes > 0)
      if (rows) assert.ok(rows.raw === 1 && rows['5m'] > 0 && rows['1h'] > 0 && rows['1d'] > 0)
    })
  })
}

function hourly(scope: AggregateQuery['scope'], id: string, metric: string): AggregateQuery {
  return { kind: 'bin', scope, id, metric, resolution: '1h', buckets: HOURS }
}

function place(sensorId: string, zone: string | null, holdMinutes: number): SensorPlace {
  return { sensorId, kind: 'bin', zone, holdMs: holdMinutes * MINUTE_MS }
}

function said(sensorId: string, afterMinutes: number, values: Reading['values']): Reading {
  const timeMs = T + afterMinutes * MINUTE_MS
  return { sensorId, timeMs, receivedAtMs: timeMs + 42, values }
}
