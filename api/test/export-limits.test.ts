import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import type { Readings } from '@pulso/stores'
import { openDuckdbReadings } from '@pulso/stores/readings'
import { createOpenDataApi, toReading, until, type OpenDataApi } from './export-helper.ts'
import { kinds } from './helper.ts'

const CSV = '/api/v1/export/bins.csv'
const PARQUET = '/api/v1/export/bins.parquet'

/** Far more than sockets hold. */
async function openLarge(t: TestContext, rows: number): Promise<Readings> {
  const folder = await mkdtemp(join(tmpdir(), 'pulso-large-'))
  const file = join(folder, 'readings.duckdb')
  await (await openDuckdbReadings({ file, kinds })).close()
  const instance = await DuckDBInstance.create(file)
  const connection = await instance.connect()
  // In the 23 hours before the tests' noon, a thousand sensors in turn.
  await connection.run(
    `INSERT INTO bins (time, received_at, sensor_id, "fillLevel", volume)
     SELECT moment, moment, 'sensor-' || i % 1000, (i % 997) / 997, i FROM
       (SELECT i, make_timestamp_ms(1780142400000 + (i * 82800000) // ${rows}) AS moment FROM range(${rows}) r(i))`,
  )
  connection.closeSync()
  instance.closeSync()
  const readings = await openDuckdbReadings({ file, kinds, memoryLimit: '200MB' })
  t.after(async () => {
    await readings.close()
    await rm(folder, { recursive: true })
  })
  return readings
}

test('millions of readings go out without being held in memory', async (t) => {
  const rows = 2_000_000
  const { download, open } = await createOpenDataApi(t, { readings: await openLarge(t, rows) })
  const startBytes = process.memoryUsage.rss()
  const most = { firstHalf: 0, secondHalf: 0 }
  let lines = 0
  for await (const chunk of (await download(CSV)) as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1
    const half = lines < rows / 2 ? 'firstHalf' : 'secondHalf'
    most[half] = Math.max(most[half], process.memoryUsage.rss())
  }
  assert.equal(lines, rows + 1)
  const [grown, later] = [most.secondHalf - startBytes, most.secondHalf - most.firstHalf].map(
    (bytes) => bytes / 1e6,
  )
  t.diagnostic(`the process grew by ${grown} MB, ${later} MB of it in the second half`)
  assert.ok(Number(grown) < 250 && Number(later) < 80, `grew by ${grown} MB, later by ${later} MB`)
  assert.equal(open.size, 0)
})

test('a slow reader is waited for, and let go when it takes nothing at all', async (t) => {
  const limits = { exportStallMs: 400 }
  const { download, open, pages } = await createOpenDataApi(t, {
    limits,
    readings: await openLarge(t, 300_000),
  })
  const response = await download(CSV)
  // Nobody reads: what is asked for from the store comes to an end with the sockets' buffers.
  const ended = new Promise((resolve) => response.once('error', resolve))
  await until(() => open.size === 0)
  assert.ok(pages() < 100, `${pages()} of 147 pages were asked for`)
  response.resume()
  // A file that was cut short must not look whole.
  assert.match(String(await ended), /aborted/)
})

test('a reader that goes frees what was its', async (t) => {
  const api = await createOpenDataApi(t, { limits: { exports: 1 }, readings: await openLarge(t, 300_000) })
  const { download, open } = api
  for (const path of [CSV, '/api/v1/export/bins.geojson']) {
    for (const headers of [{}, { 'accept-encoding': 'gzip' }]) {
      const response = await download(path, headers)
      await once(response, 'readable')
      response.destroy()
      await until(() => open.size === 0)
    }
  }
  assert.equal(await exportsOpen(api), 0)
  assert.equal((await download(CSV)).destroy().statusCode, 200)
})

test('a reader that goes while its Parquet file is being made leaves nothing behind', async (t) => {
  const { api, folder, open, address } = await createOpenDataApi(t, { readings: await openLarge(t, 300_000) })
  const controller = new AbortController()
  const asking = fetch(`${address}${PARQUET}`, { signal: controller.signal })
  await until(() => open.size === 1)
  controller.abort()
  await assert.rejects(asking, { name: 'AbortError' })
  await until(() => open.size === 0 && readdirSync(folder).length === 0)
  await api.stop()
})

test('a download ends at its time', async (t) => {
  const limits = { exportMs: 200 }
  const { download, open } = await createOpenDataApi(t, { limits, readings: await openLarge(t, 300_000) })
  const response = await download(CSV)
  await until(() => open.size === 0)
  await assert.rejects(text(response), { code: 'ECONNRESET' })
})

test('more downloads at once than there is room for are asked to come back', async (t) => {
  const limits = { exports: 3, exportsPerAddress: 2 }
  const api = await createOpenDataApi(t, { limits, readings: await openLarge(t, 300_000) })
  const [first, second] = [await api.download(CSV), await api.download(CSV)]
  const refused = await api.get(CSV)
  assert.equal(refused.status, 503)
  assert.equal((refused.body as { code: string }).code, 'exports-busy')
  assert.equal(refused.headers['retry-after'], '30')
  assert.equal(refused.headers['content-disposition'], undefined)
  // Another address still gets the last place, and with it none is left.
  const ask = (remoteAddress: string) =>
    api.api.app.inject({ url: '/api/v1/export/parking.csv', remoteAddress })
  assert.equal((await ask('192.0.2.1')).statusCode, 200)
  assert.match(await api.metrics.metrics(), /pulso_exports_refused_total 1/)
  await drop(first)
  await drop(second)
  await until(() => api.open.size === 0)
  assert.equal((await api.get('/api/v1/export/parking.csv')).status, 200)
})

test('a file that cannot be finished breaks off', async (t) => {
  const readings = await openLarge(t, 300_000)
  const failing: Readings = {
    ...readings,
    async openExport(query) {
      const taking = await readings.openExport(query)
      let pages = 0
      const next = () => (++pages > 50 ? Promise.reject(new Error('the disk is gone')) : taking.next())
      return { ...taking, next }
    },
  }
  const { download, open } = await createOpenDataApi(t, { readings: failing })
  for (const headers of [{}, { 'accept-encoding': 'gzip' }]) {
    await assert.rejects(text(await download(CSV, headers)), { code: 'ECONNRESET' })
    await until(() => open.size === 0)
  }
})

test('no Parquet file is made where the disk has little room', async (t) => {
  const { get, write, folder, open } = await createOpenDataApi(t, { limits: { exportFreeBytes: 1e18 } })
  await write([toReading('a', 1, { volume: 1 })])
  const { status, body } = await get(PARQUET)
  assert.equal(status, 503)
  assert.equal((body as { code: string }).code, 'disk-too-small')
  assert.equal((await get(CSV)).status, 200)
  assert.deepEqual(await readdir(folder), [])
  assert.equal(open.size, 0)
})

async function exportsOpen({ metrics }: OpenDataApi): Promise<number> {
  return Number(/^pulso_exports_open (\d+)/m.exec(await metrics.metrics())?.[1])
}

async function drop(response: IncomingMessage): Promise<void> {
  response.destroy()
  await once(response, 'close')
}
