import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIsoTime, type Reading } from '@pulso/model'
import { parse } from 'csv-parse/sync'
import { toCsvText } from '../src/export/csv.ts'
import { createIsoTimes } from '../src/export/encoder.ts'
import { createOpenDataApi, toReading } from './export-helper.ts'
import { NOON_MS, WEST } from './helper.ts'

const HOUR = `from=${toIsoTime(NOON_MS - HOUR_MS)}&to=${toIsoTime(NOON_MS)}`
const CSV = `/api/v1/export/bins.csv?${HOUR}`

/** In the order of the files. */
const READINGS = [
  toReading('a', HOUR_MS, { fillLevel: 0.1 }),
  toReading('a', 30 * MINUTE_MS, { fillLevel: 0.30000000000000004, volume: 1e-7 }),
  toReading('b', 30 * MINUTE_MS, { volume: 1e21 }),
  toReading('c', 1, { fillLevel: 0, volume: -0.5 }),
]
const UNSEEN = [
  toReading('a', HOUR_MS + 1, { fillLevel: 0.2 }),
  toReading('a', 20 * MINUTE_MS, { batteryLevel: 0.5 }),
  toReading('a', 0, { fillLevel: 0.3 }),
]

function toRow({ sensorId, timeMs, receivedAtMs, values }: Reading): Record<string, unknown> {
  const times = { time: toIsoTime(timeMs), received_at: toIsoTime(receivedAtMs) }
  return { ...times, sensor_id: sensorId, ...values }
}

test('a CSV file says exactly what was published, by time and sensor', async (t) => {
  const { write, get } = await createOpenDataApi(t)
  await write([...UNSEEN, ...READINGS].reverse())
  const { status, text, headers } = await get(CSV)
  assert.equal(status, 200)
  assert.equal(headers['content-type'], 'text/csv; charset=utf-8; header=present')
  assert.equal(text.split('\r\n')[0], 'time,received_at,sensor_id,fillLevel,volume')
  const rows = parse(text, { columns: true, record_delimiter: '\r\n' }) as unknown as Record<string, string>[]
  const found = rows.map(({ fillLevel, volume, ...row }) => ({
    ...row,
    ...(fillLevel && { fillLevel: Number(fillLevel) }),
    ...(volume && { volume: Number(volume) }),
  }))
  assert.deepEqual(found, READINGS.map(toRow))
})

test('JSON Lines say the same, a reading a line', async (t) => {
  const { write, get } = await createOpenDataApi(t)
  await write([...UNSEEN, ...READINGS])
  const { text, headers } = await get(`/api/v1/export/bins.jsonl?${HOUR}`)
  assert.equal(headers['content-type'], 'application/x-ndjson; charset=utf-8')
  const lines = text.trimEnd().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as unknown),
    READINGS.map(toRow),
  )
})

test('GeoJSON shows each reading where its sensor is', async (t) => {
  const { write, get } = await createOpenDataApi(t)
  await write([...UNSEEN, ...READINGS])
  const { body } = await get(`/api/v1/export/bins.geojson?${HOUR}`)
  const point = { type: 'Point', coordinates: [WEST.lon, WEST.lat] }
  assert.deepEqual(body, {
    type: 'FeatureCollection',
    features: READINGS.map((reading) => ({
      type: 'Feature',
      geometry: reading.sensorId === 'a' ? point : null,
      properties: { ...toRow(reading), zone: reading.sensorId === 'a' ? 'west' : null },
    })),
  })
})

test('a Parquet file says the same as the CSV, and nothing of it stays on the disk', async (t) => {
  const { write, download, get, folder } = await createOpenDataApi(t)
  await write([...UNSEEN, ...READINGS])
  const response = await download(`/api/v1/export/bins.parquet?${HOUR}`)
  const bytes = await buffer(response)
  assert.equal(response.headers['content-type'], 'application/vnd.apache.parquet')
  assert.equal(response.headers['content-length'], String(bytes.length))
  const [parquet, csv] = [join(folder, 'a.parquet'), join(folder, 'a.csv')]
  await writeFile(parquet, bytes)
  await writeFile(csv, (await get(CSV)).text)
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const select = async (from: string): Promise<unknown[]> =>
    (await connection.runAndReadAll(`SELECT * FROM ${from}`)).getRowsJson()
  await connection.run("SET TimeZone = 'UTC'")
  const types = `types={'fillLevel':'DOUBLE','volume':'DOUBLE','time':'TIMESTAMPTZ','received_at':'TIMESTAMPTZ'}`
  const rows = await select(`read_parquet('${parquet}')`)
  assert.equal(rows.length, READINGS.length)
  assert.deepEqual(rows, await select(`read_csv('${csv}', ${types})`))
  connection.closeSync()
  instance.closeSync()
})

test('a period without readings is a whole file without any', async (t) => {
  const { get, download } = await createOpenDataApi(t)
  assert.equal((await get(CSV)).text, 'time,received_at,sensor_id,fillLevel,volume\r\n')
  assert.equal((await get(`/api/v1/export/bins.jsonl?${HOUR}`)).text, '')
  assert.deepEqual((await get(`/api/v1/export/bins.geojson?${HOUR}`)).body, {
    type: 'FeatureCollection',
    features: [],
  })
  const parquet = await buffer(await download(`/api/v1/export/bins.parquet?${HOUR}`))
  assert.equal(parquet.subarray(0, 4).toString(), 'PAR1')
})

test('a file has a name, is not kept by anybody, and may be read by any site', async (t) => {
  const { download } = await createOpenDataApi(t)
  const { headers } = (await download(CSV)).resume()
  const name = 'squareville_bins_2026-05-31T1100Z_2026-05-31T1200Z.csv'
  assert.equal(headers['content-disposition'], `attachment; filename="${name}"`)
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal(headers['access-control-allow-origin'], '*')
  assert.equal(headers.etag, undefined)
})

test('texts are compressed for whoever asks, Parquet is so inside', async (t) => {
  const { download, write } = await createOpenDataApi(t)
  await write(READINGS)
  const gzip = { 'accept-encoding': 'br, gzip' }
  for (const format of ['csv', 'jsonl', 'geojson']) {
    const path = `/api/v1/export/bins.${format}?${HOUR}`
    const response = await download(path, gzip)
    assert.equal(response.headers['content-encoding'], 'gzip', format)
    const plain = await buffer(await download(path))
    assert.deepEqual(gunzipSync(await buffer(response)), plain)
  }
  const parquet = (await download(`/api/v1/export/bins.parquet?${HOUR}`, gzip)).resume()
  assert.equal(parquet.headers['content-encoding'], undefined)
})

test('HEAD tells what would come without taking anything out', async (t) => {
  const { api, pages, open } = await createOpenDataApi(t)
  const answer = await api.app.inject({ method: 'HEAD', url: CSV })
  assert.equal(answer.statusCode, 200)
  assert.equal(answer.body, '')
  assert.match(String(answer.headers['content-type']), /^text\/csv/)
  assert.equal(answer.headers['content-length'], undefined)
  const refused = await api.app.inject({ method: 'HEAD', url: '/api/v1/export/none.csv' })
  assert.equal(refused.statusCode, 404)
  assert.deepEqual([pages(), open.size], [0, 0])
})

test('a day up to now comes when no period is named', async (t) => {
  const { get, write } = await createOpenDataApi(t)
  await write([DAY_MS + 1, DAY_MS, 1, 0].map((agoMs) => toReading('a', agoMs, { volume: agoMs })))
  const { text } = await get('/api/v1/export/bins.jsonl')
  const volumes = text
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { volume: number }).volume)
  assert.deepEqual(volumes, [DAY_MS, 1])
})

test('what cannot be given is refused with a sentence that helps', async (t) => {
  const { get } = await createOpenDataApi(t)
  const refusals: [string, number, string, RegExp][] = [
    ['none.csv', 404, 'unknown-kind', /there are .*bins/],
    ['bins.xlsx', 404, 'unknown-format', /csv, jsonl, geojson, parquet/],
    ['bins.csv?from=yesterday', 400, 'invalid-time', /ISO 8601/],
    [`bins.csv?from=2026-05-31T00:00:00Z&to=2026-05-30T00:00:00Z`, 400, 'invalid-range', /later/],
    [`bins.csv?from=2016-05-31T00:00:00Z`, 400, 'range-too-long', /92 d/],
  ]
  for (const [path, status, code, words] of refusals) {
    const { headers, ...answer } = await get(`/api/v1/export/${path}`)
    const problem = answer.body as { code: string; detail: string }
    assert.deepEqual([answer.status, problem.code], [status, code], path)
    assert.match(problem.detail, words)
    assert.equal(headers['content-disposition'], undefined)
  }
})

test('no cell is a formula for a spreadsheet, and each can be read back', () => {
  for (const text of ['=1+1', '+1', '-1+2', '@SUM(A1)', '\t=1', '\r=1']) {
    const [[cell] = []] = parse(toCsvText(text))
    assert.equal(cell, `'${text}`)
  }
  for (const text of ['free', 'a,b', 'say "x"', 'two\r\nlines', "o'clock", ' a ']) {
    const [[cell] = []] = parse(toCsvText(text), { trim: false })
    assert.equal(cell, text)
  }
})

test('times are written as everywhere else, whatever came before', () => {
  const toTime = createIsoTimes()
  const times = [0, 59_999, 60_000, 1, -1, -60_001, NOON_MS, NOON_MS + 7, NOON_MS + 59_999, NOON_MS - 1]
  assert.deepEqual(times.map(toTime), times.map(toIsoTime))
})
