import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import type { HistoryView } from '@pulso/model'
import { getJson, getSensor, waitForValues } from '../support/api.ts'
import { refused } from '../support/backups.ts'
import { ROOT, startBox, withFolder, type RunningBox } from '../support/box.ts'
import { connectDevice } from '../support/mqtt.ts'
import { waitFor } from '../support/wait.ts'

const SECRET = { username: 'air-1', password: 'yesterday-secret' }
const TOPIC = 'pulso/environment/air-1/telemetry'
const DAY = 'from=2025-01-15T00:00:00Z&to=2025-01-16T00:00:00Z'

describe('a data folder of the first release', () => {
  it('is taken over with its history, its messages and its secrets, and gains the metrics there are now', async () => {
    await withFolder(async (folder) => {
      const dataDir = await makeYesterday(folder)
      const box = await startBox({ dataDir })
      try {
        assert.equal(box.operator, null, 'there is an operator already')
        await waitFor(async () => (await readHistory(box, 'temperature', DAY)).length === 3, {
          what: 'the message that waited to be stored',
        })
        assert.deepEqual(await readHistory(box, 'temperature', DAY), [11, 11.5, 12.5])
        assert.deepEqual(await readHistory(box, 'no2', DAY), [21])
        const sensor = await getSensor(box, 'air-1')
        assert.equal(sensor.properties.name, 'Plaza')

        const client = await connectDevice(box, SECRET)
        await client.publishAsync(TOPIC, '{"temperature":13,"LAeq":55}', { qos: 1 })
        await waitForValues(box, 'air-1', { temperature: 13, LAeq: 55 })
        const now = `from=${new Date(Date.now() - 60_000).toISOString()}`
        assert.deepEqual(await readHistory(box, 'LAeq', now), [55])
        client.end(true)
      } finally {
        await box.stop()
      }
      // What an older Pulso could go back to.
      const kept = new DatabaseSync(join(dataDir, 'registry.sqlite.v1.bak'), { readOnly: true })
      assert.equal(kept.prepare('PRAGMA user_version').get()?.user_version, 1)
      assert.equal(kept.prepare('SELECT count(*) AS n FROM quarantine').get()?.n, 1)
      kept.close()
    })
  })

  const makeNewer: Record<string, (dataDir: string) => Promise<void> | void> = {
    registry: (dataDir) => execute(join(dataDir, 'registry.sqlite'), 'PRAGMA user_version = 99'),
    journal: (dataDir) => execute(join(dataDir, 'journal.sqlite'), 'PRAGMA user_version = 99'),
    readings: (dataDir) =>
      query(join(dataDir, 'readings.duckdb'), 'UPDATE pulso.meta SET schema_version = 99'),
  }
  for (const [store, change] of Object.entries(makeNewer)) {
    it(`is refused in words when a newer Pulso has written its ${store}`, async () => {
      await withFolder(async (folder) => {
        const dataDir = await makeYesterday(folder)
        await change(dataDir)
        await refused(['start'], { dataDir }, /written by a newer Pulso \(schema 99, .*start that version/)
        if (store === 'registry')
          assert.deepEqual(
            readdirSync(dataDir).filter((name) => name.includes('bak')),
            [],
          )
      })
    })
  }
})

async function makeYesterday(folder: string): Promise<string> {
  const dataDir = join(folder, 'data')
  mkdirSync(dataDir)
  const script = (name: string): string =>
    readFileSync(join(ROOT, 'test/fixtures/yesterday', `${name}.sql`), 'utf8')
  execute(join(dataDir, 'registry.sqlite'), script('registry'))
  execute(join(dataDir, 'journal.sqlite'), script('journal'))
  await query(join(dataDir, 'readings.duckdb'), script('readings'))
  assert.ok(existsSync(join(dataDir, 'readings.duckdb')))
  return dataDir
}

function execute(file: string, sql: string): void {
  const database = new DatabaseSync(file)
  database.exec(sql)
  database.close()
}

async function query(file: string, sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(file)
  const connection = await instance.connect()
  await connection.run(sql)
  connection.closeSync()
  instance.closeSync()
}

async function readHistory(box: RunningBox, metric: string, range: string): Promise<unknown[]> {
  const path = `/api/v1/sensors/air-1/history?metric=${metric}&${range}`
  return (await getJson<HistoryView>(box, path)).points.map(({ value }) => value)
}
