import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { openDuckdbReadings } from '@pulso/stores/readings'
import { openSqlite } from '../src/sqlite.ts'
import { insert, reading } from './readings-conformance.ts'
import { createFolder } from './support/folder.ts'
import { createKinds, LEVEL } from './support/kinds.ts'

const STEPS = ['CREATE TABLE things (name TEXT)', 'ALTER TABLE things ADD COLUMN colour TEXT', 'SELECT 1']

describe('a migration that is killed half-way', () => {
  test('of SQLite leaves the old version with all it held, and is done by the next start', async (context) => {
    const { path } = withFolder(context)
    const file = `${path}/things.sqlite`
    open(file, STEPS.slice(0, 1), "INSERT INTO things VALUES ('old')")
    await killHalfWay('sqlite', file)
    const look = new DatabaseSync(file)
    assert.equal(look.prepare('PRAGMA user_version').get()?.user_version, 1)
    assert.deepEqual({ ...look.prepare('SELECT * FROM things').get() }, { name: 'old' })
    look.close()
    open(file, STEPS.slice(0, 2), "UPDATE things SET colour = 'green'")
  })

  test('of DuckDB leaves the tables as they were, and is done by the next start', async (context) => {
    const { path } = withFolder(context)
    const file = `${path}/readings.duckdb`
    const before = await openDuckdbReadings({ file, kinds: createKinds() })
    await insert(before, 5, [reading('s1', 0, { level: 1 })])
    await before.close()
    await killHalfWay('duckdb', file)
    assert.ok(!(await columnsOf(file)).includes('extra'))
    const old = await openDuckdbReadings({ file, kinds: createKinds() })
    assert.deepEqual(await old.find('bin', [reading('s1', 0, {})]), [reading('s1', 0, { level: 1 })])
    await old.close()

    const after = await openDuckdbReadings({ file, kinds: createKinds({ extra: LEVEL }) })
    assert.equal(await after.position(), 5)
    await insert(after, 6, [reading('s1', 1, { extra: 2 })])
    assert.equal((await after.find('bin', [reading('s1', 0, {}), reading('s1', 1, {})])).length, 2)
    await after.close()
    assert.ok((await columnsOf(file)).includes('extra'))
  })
})

describe('the file before a migration', () => {
  test('is kept, of the newest migration alone, and can be opened by the version that wrote it', (context) => {
    const { path } = withFolder(context)
    const file = `${path}/things.sqlite`
    open(file, STEPS.slice(0, 1), "INSERT INTO things VALUES ('old')")
    assert.deepEqual(kept(path), [], 'a new file has nothing to go back to')
    open(file, STEPS.slice(0, 2), "UPDATE things SET colour = 'green'")
    assert.deepEqual(kept(path), ['things.sqlite.v1.bak'])
    open(file, STEPS.slice(0, 2), 'SELECT 1')
    open(file, STEPS, 'SELECT 1')
    assert.deepEqual(kept(path), ['things.sqlite.v2.bak'])
    open(
      `${path}/things.sqlite.v2.bak`,
      STEPS.slice(0, 2),
      "UPDATE things SET colour = 'red' WHERE name = 'old'",
    )
  })
})

function open(file: string, migrations: readonly string[], sql: string): void {
  const database = openSqlite({ file, store: 'registry', migrations })
  database.exec(sql)
  database.close()
}

function kept(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.includes('.bak'))
}

function withFolder(context: TestContext): { path: string } {
  const folder = createFolder()
  context.after(folder.remove)
  return folder
}

async function killHalfWay(store: 'sqlite' | 'duckdb', file: string): Promise<void> {
  const victim = fileURLToPath(new URL('./support/migration-victim.ts', import.meta.url))
  const child = spawn(process.execPath, [victim, store, file], { stdio: ['ignore', 'inherit', 'inherit'] })
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  assert.equal(signal, 'SIGKILL')
}

async function columnsOf(file: string): Promise<unknown[]> {
  const instance = await DuckDBInstance.create(file)
  const connection = await instance.connect()
  const rows = await connection.runAndReadAll(
    "SELECT column_name FROM duckdb_columns() WHERE table_name = 'bin'",
  )
  connection.closeSync()
  instance.closeSync()
  return rows.getRows().flat()
}
