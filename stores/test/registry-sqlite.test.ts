import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { openSqliteRegistry } from '@pulso/stores'
import { REGISTRY_MIGRATIONS } from '../src/registry-sqlite/schema.ts'
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

  test('counts up what a quarantine without totals holds', async (context) => {
    const folder = createFolder()
    context.after(folder.remove)
    const file = `${folder.path}/registry.sqlite`
    const old = openSqlite({ file, store: 'registry', migrations: REGISTRY_MIGRATIONS.slice(0, 2) })
    const insert = old.prepare("INSERT INTO quarantine VALUES (NULL, ?, 'clock', ?, 't', ?, NULL, x'7b')")
    for (const [receivedAtMs, detail, sensorId] of [
      [1, 'first', null],
      [2, 'second', 's1'],
      [3, 'third', null],
    ] as const)
      insert.run(receivedAtMs, detail, sensorId)
    old.exec("UPDATE counters SET value = 3 WHERE name LIKE 'quarantine_%'")
    old.close()
    const registry = await openSqliteRegistry({ file })
    const totals = await registry.listQuarantineTotals({ limit: 10 })
    assert.deepEqual(
      totals.map((total) => [total.sensorId, total.count, total.firstReceivedAtMs, total.sample.detail]),
      [
        [null, 2, 1, 'third'],
        ['s1', 1, 2, 'second'],
      ],
    )
    assert.equal((await registry.listQuarantine({ totalId: totals[0]?.id ?? 0, limit: 10 })).length, 2)
    await registry.close()
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
