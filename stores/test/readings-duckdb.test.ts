import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { openDuckdbReadings } from '@pulso/stores/readings'
import { createDuckdbReadings } from '../src/readings-duckdb/readings.ts'
import { openSession, type Session } from '../src/readings-duckdb/session.ts'
import { insert, reading, sorted, testReadings } from './readings-conformance.ts'
import { createFolder } from './support/folder.ts'
import { createKinds, LID } from './support/kinds.ts'

testReadings('duckdb', async () => {
  const folder = createFolder()
  const file = `${folder.path}/readings.duckdb`
  return {
    open: (kinds) => openDuckdbReadings({ file, kinds }),
    remove: async () => folder.remove(),
  }
})

describe('the readings in DuckDB', () => {
  let folder: ReturnType<typeof createFolder>
  let fileCount = 0
  const newFile = (): string => `${folder.path}/readings-${++fileCount}.duckdb`
  const kinds = createKinds()
  before(() => (folder = createFolder()))
  after(() => folder.remove())

  test('have the table of the contract', async () => {
    const file = newFile()
    const readings = await openDuckdbReadings({ file, kinds })
    await insert(readings, 1, [reading('s1', 0, { level: 1, lid: 'open' })])
    await readings.close()
    assert.deepEqual(
      await select(file, "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'bin'"),
      [
        ['time', 'TIMESTAMP'],
        ['received_at', 'TIMESTAMP'],
        ['sensor_id', 'VARCHAR'],
        ['level', 'DOUBLE'],
        ['lid', 'VARCHAR'],
        ['batteryLevel', 'DOUBLE'],
        ['rssi', 'DOUBLE'],
      ],
    )
    assert.deepEqual(
      await select(file, "SELECT strftime(time, '%Y-%m-%dT%H:%M:%S.%gZ'), sensor_id, level, lid FROM bin"),
      [['2026-03-29T01:00:00.123Z', 's1', 1, 'open']],
    )
  })

  test('keep a batch with its position or nothing at all', async () => {
    const file = newFile()
    const readings = await openDuckdbReadings({ file, kinds })
    const first = reading('s1', 0, { level: 1 })
    await insert(readings, 3, [first])
    const broken = readings.write({
      position: 9,
      inserts: new Map([
        ['bin', [reading('s2', 0, { level: 2 })]],
        ['nokind', [reading('s3', 0, {})]],
      ]),
      replacements: new Map([['bin', [reading('s1', 0, { level: 5 })]]]),
    })
    await assert.rejects(broken, { code: 'unknown-kind' })
    assert.equal(await readings.position(), 3)
    assert.deepEqual(await readings.find('bin', [first, reading('s2', 0, {})]), [first])

    await insert(readings, 4, [reading('s2', 0, { level: 2 })])
    await readings.close()
    const again = await openDuckdbReadings({ file, kinds })
    assert.equal(await again.position(), 4)
    await again.close()
  })

  test('keep no part of a batch with a value that does not fit its column', async () => {
    const readings = await openDuckdbReadings({ file: newFile(), kinds })
    const good = Array.from({ length: 3_000 }, (_, n) => reading('s1', n, { level: n }))
    const bad = { ...reading('s2', 0, {}), values: { level: 'text' } }
    await assert.rejects(insert(readings, 1, [...good, bad]), { code: 'readings-refused', retryable: false })
    assert.equal(await readings.position(), 0)
    await insert(readings, 1, good)
    assert.equal((await readings.find('bin', good)).length, 3_000)
    await readings.close()
  })

  test('pass over a batch that they already have', async () => {
    const readings = await openDuckdbReadings({ file: newFile(), kinds })
    await insert(readings, 7, [reading('s1', 0, { level: 1 })])
    await insert(readings, 7, [reading('s1', 0, { level: 1 })])
    assert.equal((await readings.find('bin', [reading('s1', 0, {})])).length, 1)
    await readings.close()
  })

  test('find more keys than one statement carries', async () => {
    const readings = await openDuckdbReadings({ file: newFile(), kinds })
    const stored = Array.from({ length: 10_500 }, (_, n) => reading(`s${n % 100}`, n, { level: n }))
    await insert(readings, 1, stored)
    assert.deepEqual(sorted(await readings.find('bin', stored)), sorted(stored))
    await readings.close()
  })

  test('are there after a kill -9', async () => {
    const file = newFile()
    const child = spawn(
      process.execPath,
      [new URL('./support/readings-holder.ts', import.meta.url).pathname, file],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'close')
    const readings = await openDuckdbReadings({ file, kinds })
    assert.equal(await readings.position(), 1)
    assert.equal(
      (
        await readings.history({
          kind: 'bin',
          sensorId: 's1',
          metric: 'level',
          fromMs: 0,
          toMs: 1e13,
          limit: 5,
        })
      ).points.length,
      1,
    )
    await readings.close()
  })

  test('say who has the file open, and what to do', async () => {
    const file = newFile()
    const child = spawn(
      process.execPath,
      [new URL('./support/readings-holder.ts', import.meta.url).pathname, file],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    await once(child.stdout, 'data')
    await assert.rejects(openDuckdbReadings({ file, kinds }), {
      code: 'readings-locked',
      message: new RegExp(`process ${child.pid}.*end it`),
    })
    child.kill('SIGKILL')
    await once(child, 'close')
  })

  test('refuse a file of a newer version', async () => {
    const file = newFile()
    await (await openDuckdbReadings({ file, kinds })).close()
    await select(file, 'UPDATE pulso.meta SET schema_version = 99')
    await assert.rejects(openDuckdbReadings({ file, kinds }), { code: 'readings-too-new' })
  })

  test('refuse a metric that changed its type', async () => {
    const file = newFile()
    await (await openDuckdbReadings({ file, kinds })).close()
    await assert.rejects(openDuckdbReadings({ file, kinds: createKinds({ level: LID }) }), {
      code: 'readings-schema-conflict',
      message: /'level' of 'bin'/,
    })
  })

  test('open their file anew after a fatal error of DuckDB', async () => {
    const file = newFile()
    const sessions: Session[] = []
    const readings = await createDuckdbReadings({
      kinds,
      open: async () => {
        const session = await openSession({ file, kinds, memoryLimit: '256MB' })
        sessions.push(session)
        return session
      },
    })
    await insert(readings, 1, [reading('s1', 0, { level: 1 })])
    // DuckDB's own way to break: from here on every statement fails until the file is opened again.
    await sessions[0]?.writer.run("SET GLOBAL debug_checkpoint_abort = 'before_header'")
    await assert.rejects(async () => sessions[0]?.writer.run('CHECKPOINT'))

    const keys = [reading('s1', 0, {}), reading('s1', 1, {})]
    await assert.rejects(readings.find('bin', keys), { code: 'readings-unavailable', retryable: true })
    await insert(readings, 2, [reading('s1', 1, { level: 2 })])
    assert.equal((await readings.find('bin', keys)).length, 2)
    assert.equal(sessions.length, 2)
    await readings.close()
  })

  test('answer no more once closed', async () => {
    const readings = await openDuckdbReadings({ file: newFile(), kinds })
    await readings.close()
    await readings.close()
    await assert.rejects(readings.check(), { code: 'readings-unavailable' })
  })
})

async function select(file: string, sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(file)
  const connection = await instance.connect()
  const rows = (await connection.runAndReadAll(sql)).getRows()
  connection.closeSync()
  instance.closeSync()
  return rows
}
