import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { MINUTE_MS, type Reading } from '@pulso/model'
import type { ExportQuery, Readings, ReadingsExport } from '@pulso/stores'
import { insert, reading, type ReadingsUnderTest } from './readings-conformance.ts'
import { createKinds } from './support/kinds.ts'

const START_MS = reading('s', 0, {}).timeMs
const ALL: ExportQuery = { kind: 'bin', fromMs: 0, toMs: START_MS * 2, metrics: ['level', 'lid'] }

/** What every readings driver must do when readings are taken out. */
export function testExports(
  driver: string,
  create: () => Promise<ReadingsUnderTest>,
  options: { skip?: string | false } = {},
): void {
  const open = async (context: TestContext): Promise<Readings> => {
    const store = await create()
    const readings = await store.open(createKinds())
    context.after(async () => {
      await readings.close()
      await store.remove()
    })
    return readings
  }

  describe(`export conformance: ${driver}`, options, () => {
    test('gives every reading once, in the order of time and then sensor', async (context) => {
      const readings = await open(context)
      // Far more than a page, several at the same time, written in no order.
      const stored = Array.from({ length: 6_000 }, (_, n) =>
        reading(`s${n % 7}`, Math.floor(n / 7) * MINUTE_MS, n % 3 ? { level: n / 8 } : { lid: `l${n}` }),
      )
      await insert(readings, 1, shuffled(stored))
      assert.deepEqual(await readAll(await readings.openExport(ALL)), stored.toSorted(byTimeAndSensor))
    })

    test('gives sparse and crowded times alike', async (context) => {
      const readings = await open(context)
      const stored = [
        reading('s1', -900 * 24 * 60 * MINUTE_MS, { level: 1 }),
        ...Array.from({ length: 3_000 }, (_, n) => reading(`s${n}`, 0, { level: n })),
        reading('s1', 1, { level: 2 }),
      ]
      await insert(readings, 1, stored)
      assert.deepEqual(await readAll(await readings.openExport(ALL)), stored.toSorted(byTimeAndSensor))
    })

    test('takes the beginning of the period and leaves its end to the next', async (context) => {
      const readings = await open(context)
      const stored = [0, 1, 2, 3].map((n) => reading('s1', n, { level: n }))
      await insert(readings, 1, stored)
      const take = async (from: number, to: number): Promise<Reading[]> =>
        readAll(await readings.openExport({ ...ALL, fromMs: START_MS + from, toMs: START_MS + to }))
      assert.deepEqual(await take(1, 3), stored.slice(1, 3))
      assert.deepEqual([...(await take(0, 2)), ...(await take(2, 4))], stored)
      assert.deepEqual(await take(4, 9), [])
    })

    test('leaves out metrics that were not asked for, and readings that have no other', async (context) => {
      const readings = await open(context)
      await insert(readings, 1, [
        reading('s1', 0, { level: 1, batteryLevel: 0.5 }),
        reading('s1', 1, { batteryLevel: 0.4 }),
        reading('s1', 2, {}),
      ])
      const taken = await readAll(await readings.openExport({ ...ALL, metrics: ['level'] }))
      assert.deepEqual(taken, [reading('s1', 0, { level: 1 })])
    })

    test('gives all that there is when all is asked for', async (context) => {
      const readings = await open(context)
      const stored = [reading('s1', 0, { level: 1, batteryLevel: 0.5, lid: 'open' }), reading('s1', 1, {})]
      await insert(readings, 1, stored)
      assert.deepEqual(await readAll(await readings.openExport({ ...ALL, metrics: 'all' })), stored)
    })

    test('neither doubles nor misses when readings arrive meanwhile', async (context) => {
      const readings = await open(context)
      const before = Array.from({ length: 5_000 }, (_, n) => reading('s1', n, { level: n }))
      await insert(readings, 1, before)
      const taking = await readings.openExport(ALL)
      const first = await taking.next()
      await insert(readings, 2, [reading('s0', 0, { level: 1 }), reading('s0', 4_999, { level: 2 })])
      const taken = [...(first ? toReadings(taking, first) : []), ...(await readAll(taking))]
      const old = taken.filter(({ sensorId }) => sensorId === 's1')
      assert.deepEqual(old, before)
      assert.equal(new Set(taken.map(toName)).size, taken.length)
    })

    test('writes a Parquet file that says the same', async (context) => {
      const readings = await open(context)
      const stored = Array.from({ length: 5_000 }, (_, n) =>
        reading(`s${n % 3}`, Math.floor(n / 3), n % 5 ? { level: n / 7 } : { lid: "it's" }),
      )
      await insert(readings, 1, shuffled(stored))
      const folder = await mkdtemp(join(tmpdir(), 'pulso-export-'))
      context.after(() => rm(folder, { recursive: true }))
      const file = join(folder, "a 'quoted' name.parquet")
      const taking = await readings.openExport(ALL)
      assert.equal(await taking.writeParquet(file), stored.length)
      await taking.close()
      assert.deepEqual(await readParquet(file), stored.toSorted(byTimeAndSensor))
    })

    test('ends when it is closed, and refuses what does not exist', async (context) => {
      const readings = await open(context)
      await insert(readings, 1, [reading('s1', 0, { level: 1 })])
      const taking = await readings.openExport(ALL)
      await taking.close()
      await taking.close()
      await assert.rejects(taking.next(), { code: 'export-closed' })
      await assert.rejects(readings.openExport({ ...ALL, kind: 'none' }), { code: 'unknown-kind' })
      await assert.rejects(readings.openExport({ ...ALL, metrics: ['none'] }), { code: 'unknown-metric' })
    })
  })
}

export async function readAll(taking: ReadingsExport): Promise<Reading[]> {
  const all: Reading[] = []
  for (let page = await taking.next(); page; page = await taking.next()) all.push(...toReadings(taking, page))
  await taking.close()
  return all
}

function toReadings(
  { columns }: ReadingsExport,
  page: NonNullable<Awaited<ReturnType<ReadingsExport['next']>>>,
): Reading[] {
  return page.sensorIds.map((sensorId, row) => {
    const cells = columns.map(({ metric }, index) => [metric, page.values[index]?.[row]] as const)
    const values = cells.filter(([, value]) => value !== null && !Number.isNaN(value))
    return {
      sensorId,
      timeMs: Number(page.timesMs[row]),
      receivedAtMs: Number(page.receivedAtMs[row]),
      values: Object.fromEntries(values) as Reading['values'],
    }
  })
}

async function readParquet(file: string): Promise<Reading[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const rows = await connection.runAndReadAll(
    `SELECT sensor_id, epoch_ms(time)::DOUBLE, epoch_ms(received_at)::DOUBLE, level, lid, typeof(time)
     FROM read_parquet('${file.replaceAll("'", "''")}')`,
  )
  connection.closeSync()
  instance.closeSync()
  return rows.getRows().map(([sensorId, timeMs, receivedAtMs, level, lid, type]) => {
    assert.equal(type, 'TIMESTAMP WITH TIME ZONE')
    return {
      sensorId: String(sensorId),
      timeMs: Number(timeMs),
      receivedAtMs: Number(receivedAtMs),
      values: {
        ...(level !== null && { level: Number(level) }),
        ...(lid !== null && { lid: lid as string }),
      },
    }
  })
}

function byTimeAndSensor(a: Reading, b: Reading): number {
  return a.timeMs - b.timeMs || (a.sensorId < b.sensorId ? -1 : 1)
}

function toName({ sensorId, timeMs }: Reading): string {
  return `${sensorId} ${timeMs}`
}

/** The same each time, and in no order that anything could rely on. */
function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((item, index) => ({ item, place: (index * 7_919) % list.length }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}
