import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { HOUR_MS, MINUTE_MS } from '@pulso/model'
import type { AggregateQuery, Readings, RollupPlan } from '@pulso/stores'
import { openDuckdbReadings } from '@pulso/stores/readings'
import { createDuckdbReadings } from '../src/readings-duckdb/readings.ts'
import { openSession, type Session } from '../src/readings-duckdb/session.ts'
import { insert, reading } from './readings-conformance.ts'
import { testRollups } from './rollups-conformance.ts'
import { createFolder } from './support/folder.ts'
import { createKinds } from './support/kinds.ts'

testRollups('duckdb', async () => {
  const folder = createFolder()
  const file = `${folder.path}/readings.duckdb`
  return {
    open: (kinds) => openDuckdbReadings({ file, kinds }),
    remove: async () => folder.remove(),
  }
})

const kinds = createKinds()
const FROM_MS = Date.UTC(2026, 2, 29, 1)
const BUCKETS = [0, 1].map((n) => ({ fromMs: FROM_MS + n * HOUR_MS, toMs: FROM_MS + (n + 1) * HOUR_MS }))
const PLAN: RollupPlan = { kind: 'bin', resolution: '1h', buckets: BUCKETS, nowMs: FROM_MS + 3 * HOUR_MS }
const CITY: AggregateQuery = { ...PLAN, scope: 'city', id: '', metric: 'level' }
const SENSORS = Array.from({ length: 400 }, (_, n) => `s${n}`)
const PLACES = SENSORS.map((sensorId) => ({ sensorId, kind: 'bin', zone: 'a', holdMs: HOUR_MS }))

describe('the aggregates in DuckDB', () => {
  test('keep batches going while they are worked out and readings forgotten, and break none', async (context) => {
    const readings = await open(context)
    const { rollups } = readings
    await rollups.putPlaces(PLACES)
    const old = SENSORS.map((id) => reading(id, -30 * HOUR_MS, { level: 1 }))
    await insert(readings, 1, [...old, ...SENSORS.map((id) => reading(id, 0, { level: 1, lid: 'open' }))])
    let position = 1
    const keepOn = async (until: Promise<unknown>): Promise<void> => {
      const over = new AbortController()
      void until.finally(() => {
        over.abort()
      })
      while (!over.signal.aborted) {
        const n = ++position
        const corrected = SENSORS.slice(n % 300, (n % 300) + 20).map((id) => reading(id, 0, { level: n }))
        await readings.write({
          position,
          inserts: new Map([['bin', SENSORS.map((id) => reading(id, n, { level: n, lid: 'shut' }))]]),
          replacements: new Map([['bin', corrected]]),
        })
      }
    }
    const work = async (): Promise<void> => {
      for (let time = 0; time < 4; time++) {
        await Promise.all([
          rollups.rollUp(PLAN),
          rollups.rollUp({ ...PLAN, resolution: '1d' }),
          rollups.measure(CITY, PLAN.nowMs),
          rollups.aggregates(CITY),
          rollups.forget('raw', FROM_MS - 20 * HOUR_MS),
          rollups.forget('1h', FROM_MS),
        ])
      }
    }
    const working = work()
    await Promise.all([working, keepOn(working)])
    await rollups.rollUp(PLAN)
    const [row] = await rollups.aggregates(CITY)
    assert.deepEqual([row], await rollups.measure(CITY, PLAN.nowMs))
    assert.equal(row?.parts.level_count, SENSORS.length * position)
    assert.equal(await readings.position(), position)
  })

  test('are as they were or as they should be after a kill -9 at any moment', async (context) => {
    const file = newFile(context)
    const program = fileURLToPath(new URL('./support/rollup-killed.ts', import.meta.url))
    const child = spawn(process.execPath, [program, file, String(FROM_MS)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'close')
    const readings = await open(context, file)
    const { rollups } = readings
    const [before] = await rollups.aggregates(CITY)
    assert.ok([1, 2].includes(Number(before?.parts.level_count)))
    await rollups.putPlaces(PLACES)
    await rollups.rollUp(PLAN)
    assert.equal((await rollups.aggregates(CITY))[0]?.parts.level_count, 2)
    assert.equal(await readings.position(), 2)
  })

  test('know where sensors are when the file had to be opened anew', async (context) => {
    const file = newFile(context)
    const sessions: Session[] = []
    const readings = await createDuckdbReadings({
      kinds,
      open: async () => {
        const session = await openSession({ file, kinds, memoryLimit: '256MB' })
        sessions.push(session)
        return session
      },
    })
    context.after(() => readings.close())
    await readings.rollups.putPlaces(PLACES)
    await insert(readings, 1, [reading('s1', 0, { level: 1 })])
    await sessions[0]?.writer.run("SET GLOBAL debug_checkpoint_abort = 'before_header'")
    await assert.rejects(async () => sessions[0]?.writer.run('CHECKPOINT'))
    await assert.rejects(readings.rollups.rollUp(PLAN), { code: 'readings-unavailable', retryable: true })
    await readings.rollups.rollUp(PLAN)
    assert.equal(sessions.length, 2)
    assert.equal((await readings.rollups.aggregates(CITY))[0]?.parts.level_count, 1)
  })

  test('are in a backup', async (context) => {
    const file = newFile(context)
    const readings = await open(context, file)
    await readings.rollups.putPlaces(PLACES)
    await insert(readings, 1, [reading('s1', 0, { level: 1, lid: 'open' })])
    for (const resolution of ['5m', '1h', '1d'] as const)
      await readings.rollups.rollUp({ ...PLAN, resolution })
    const snapshot = await readings.snapshot()
    await readings.rollups.forget('1h', FROM_MS + 9 * HOUR_MS)
    const counts = await snapshot?.copyTo(`${file}.copy`)
    await snapshot?.close()
    assert.equal(counts?.bin, 1)
    assert.deepEqual(await readings.rollups.aggregates(CITY), [])
    const copied = await open(context, `${file}.copy`)
    for (const scope of [
      { scope: 'city', id: '' },
      { scope: 'zone', id: 'a' },
      { scope: 'sensor', id: 's1' },
    ] as const) {
      const query = { ...CITY, ...scope }
      await copied.rollups.putPlaces(PLACES)
      assert.deepEqual(
        await copied.rollups.aggregates(query),
        await copied.rollups.measure(query, PLAN.nowMs),
      )
      assert.equal((await copied.rollups.aggregates({ ...query, resolution: '1d' })).length, 1)
    }
  })

  test('end early when the readings are closed, and leave what was there', async (context) => {
    const file = newFile(context)
    const readings = await open(context, file)
    await readings.rollups.putPlaces(PLACES)
    await insert(
      readings,
      1,
      SENSORS.map((id) => reading(id, 0, { level: 1, lid: 'open' })),
    )
    await readings.rollups.rollUp(PLAN)
    const buckets = Array.from({ length: 300 }, (_, n) => ({
      fromMs: FROM_MS + 2 * n * MINUTE_MS,
      toMs: FROM_MS + (2 * n + 1) * MINUTE_MS,
    }))
    const long = readings.rollups.rollUp({ ...PLAN, buckets })
    const outcome = long.then(
      () => 'done',
      (error: unknown) => error,
    )
    await readings.close()
    assert.equal(((await outcome) as { code?: string }).code, 'readings-unavailable')
    const again = await open(context, file)
    assert.equal((await again.rollups.aggregates(CITY))[0]?.parts.level_count, SENSORS.length)
  })

  test('come with a file of the version before, which keeps its readings and position', async (context) => {
    const file = newFile(context)
    const readings = await openDuckdbReadings({ file, kinds })
    await insert(readings, 5, [reading('s1', 0, { level: 1 })])
    await readings.close()
    // As version 1 left it.
    await run(file, 'DROP SCHEMA rollup CASCADE', 'UPDATE pulso.meta SET schema_version = 1')
    const grown = await open(context, file)
    assert.equal(await grown.position(), 5)
    await grown.rollups.putPlaces(PLACES)
    await grown.rollups.rollUp(PLAN)
    assert.equal((await grown.rollups.aggregates(CITY))[0]?.parts.level_count, 1)
    await grown.close()
    assert.deepEqual(await run(file, 'SELECT schema_version FROM pulso.meta'), [[2]])
  })

  test('leave nothing behind of what a killed process could not hold in memory', async (context) => {
    const file = newFile(context)
    mkdirSync(`${file}.tmp`)
    writeFileSync(join(`${file}.tmp`, 'duckdb_temp_block-1.block'), 'left over')
    await open(context, file)
    assert.ok(!existsSync(`${file}.tmp`))
  })
})

function newFile(context: TestContext): string {
  const folder = createFolder()
  context.after(folder.remove)
  return join(folder.path, 'readings.duckdb')
}

async function open(context: TestContext, file = newFile(context)): Promise<Readings> {
  const readings = await openDuckdbReadings({ file, kinds })
  context.after(() => readings.close())
  return readings
}

async function run(file: string, ...statements: string[]): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(file)
  const connection = await instance.connect()
  let rows: unknown[][] = []
  for (const statement of statements) rows = (await connection.runAndReadAll(statement)).getRows()
  connection.closeSync()
  instance.closeSync()
  return rows
}
