import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { openSqliteRegistry } from '@pulso/stores'
import { openSqlite } from '../src/sqlite.ts'
import { testRegistry } from './registry-conformance.ts'
import { createFolder } from './support/folder.ts'

testRegistry('sqlite', async () => {
  const folder = createFolder()
  const file = `${folder.path}/registry.sqlite`
  return { open: (options) => openSqliteRegistry({ file, ...options }), remove: async () => folder.remove() }
})

describe('the registry in SQLite', () => {
  test('may be created and written by several threads at once', async (context) => {
    const folder = createFolder()
    context.after(folder.remove)
    const file = `${folder.path}/registry.sqlite`
    const workers = ['a', 'b', 'c'].map(
      (name) =>
        new Worker(new URL('./support/registry-writer.ts', import.meta.url), { workerData: { file, name } }),
    )
    const codes = await Promise.all(
      workers.map(async (worker) => ((await once(worker, 'exit')) as [number])[0]),
    )
    assert.deepEqual(codes, [0, 0, 0])
    const registry = await openSqliteRegistry({ file })
    const { sensors } = await registry.sensorsSince(0)
    assert.equal(sensors.length, 60)
    await registry.close()
  })

  test('says which file is damaged, however deep, and leaves it as it is', async (context) => {
    const folder = createFolder()
    context.after(folder.remove)
    const file = `${folder.path}/registry.sqlite`
    await (await openSqliteRegistry({ file })).close()
    const database = new DatabaseSync(file)
    database.exec('DROP TABLE quarantine')
    database.close()
    const before = readFileSync(file)
    await assert.rejects(openSqliteRegistry({ file }), {
      code: 'registry-unavailable',
      message: /registry\.sqlite/,
    })
    assert.deepEqual(readFileSync(file), before)
  })

  test('refuses a file of a newer version', async (context) => {
    const folder = createFolder()
    context.after(folder.remove)
    const file = `${folder.path}/registry.sqlite`
    await (await openSqliteRegistry({ file })).close()
    const database = new DatabaseSync(file)
    database.exec('PRAGMA user_version = 99')
    database.close()
    await assert.rejects(openSqliteRegistry({ file }), { code: 'registry-too-new', message: /newer Pulso/ })
  })

  test('says so, and can be tried again, when the file cannot be opened or is no database', async (context) => {
    const folder = createFolder()
    context.after(folder.remove)
    const missing = openSqliteRegistry({ file: `${folder.path}/missing/registry.sqlite` })
    await assert.rejects(missing, { code: 'registry-unavailable', retryable: true })
    const file = `${folder.path}/letter.txt`
    writeFileSync(file, 'Dear city, '.repeat(1_000))
    await assert.rejects(openSqliteRegistry({ file }), {
      code: 'registry-unavailable',
      message: /not a database/,
    })
  })
})

describe('a schema in SQLite', () => {
  const open = (file: string, migrations: readonly string[]): DatabaseSync =>
    openSqlite({ file, store: 'registry', migrations })
  const steps = [
    "CREATE TABLE things (name TEXT); INSERT INTO things VALUES ('old')",
    "ALTER TABLE things ADD COLUMN colour TEXT DEFAULT 'grey'",
  ]

  test('is brought forward step by step with what it holds', (context) => {
    const folder = createFolder()
    context.after(folder.remove)
    const file = `${folder.path}/things.sqlite`
    open(file, steps.slice(0, 1)).close()
    for (let n = 0; n < 2; n++) {
      const database = open(file, steps)
      assert.deepEqual({ ...database.prepare('SELECT * FROM things').get() }, { name: 'old', colour: 'grey' })
      database.close()
    }
  })

  test('stays as it was when a step fails', (context) => {
    const folder = createFolder()
    context.after(folder.remove)
    const file = `${folder.path}/things.sqlite`
    open(file, steps.slice(0, 1)).close()
    assert.throws(() => open(file, [...steps, 'NONSENSE']), { code: 'registry-unavailable' })
    const database = open(file, steps.slice(0, 1))
    assert.deepEqual({ ...database.prepare('SELECT * FROM things').get() }, { name: 'old' })
    database.close()
  })
})
