import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { openInfluxReadings, type InfluxReadingsOptions } from '@pulso/stores/readings'
import { insert, reading, testReadings } from './readings-conformance.ts'
import { influxdMissing, startInfluxd, type Influxd } from './support/influxd.ts'
import { startInflux2Front, type Influx2Front } from './support/influx2-front.ts'
import { createKinds } from './support/kinds.ts'

const skip = influxdMissing()
const kinds = createKinds()

describe('the readings in InfluxDB', { skip }, () => {
  let influxd: Influxd
  let front: Influx2Front
  let bucketCount = 0
  before(async () => {
    influxd = await startInfluxd()
    front = await startInflux2Front(influxd.url)
  })
  after(async () => {
    await front.stop()
    await influxd.stop()
  })

  const version1 = (bucket = `city ${++bucketCount}`): Omit<InfluxReadingsOptions, 'kinds'> => ({
    url: influxd.url,
    version: '1',
    token: null,
    org: '',
    bucket,
  })
  const version2 = (): Omit<InfluxReadingsOptions, 'kinds'> => ({
    url: front.url,
    version: '2',
    token: front.token,
    org: front.org,
    bucket: `city-${++bucketCount}`,
  })

  testReadings('influxdb 1', async () => {
    const options = version1()
    return { open: (own) => openInfluxReadings({ ...options, kinds: own }), remove: async () => undefined }
  })
  testReadings('influxdb, addressed as version 2', async () => {
    const options = version2()
    return { open: (own) => openInfluxReadings({ ...options, kinds: own }), remove: async () => undefined }
  })

  test('have the sensor as their only tag, and floats and texts as fields', async () => {
    const options = version1()
    const readings = await openInfluxReadings({ ...options, kinds })
    await insert(readings, 1, [reading('s1', 0, { level: 1, lid: 'open' })])
    await readings.close()
    const ask = (q: string): Promise<unknown> => query(options, q)
    assert.deepEqual(await ask('SHOW TAG KEYS FROM bin'), [['sensor_id']])
    assert.deepEqual(await ask('SHOW FIELD KEYS FROM bin'), [
      ['level', 'float'],
      ['lid', 'string'],
      ['received_at', 'float'],
    ])
    assert.deepEqual(await ask('SELECT * FROM bin'), [[1774746000123, 1, 'open', 1774746000165, 's1']])
  })

  test('keep no position, because a batch may come again', async () => {
    const readings = await openInfluxReadings({ ...version1(), kinds })
    await insert(readings, 8, [reading('s1', 0, { level: 1 })])
    await insert(readings, 8, [reading('s1', 0, { level: 1 })])
    assert.equal(await readings.position(), 0)
    assert.equal((await readings.find('bin', [reading('s1', 0, {})])).length, 1)
    await readings.close()
  })

  test('take more readings than one request carries', async () => {
    const readings = await openInfluxReadings({ ...version1(), kinds })
    await insert(
      readings,
      1,
      Array.from({ length: 5_500 }, (_, n) => reading('s1', n, { level: n })),
    )
    const query = { kind: 'bin', sensorId: 's1', metric: 'level', fromMs: 0, toMs: 1e13, limit: 10_000 }
    assert.equal((await readings.history(query)).points.length, 5_500)
    await readings.close()
  })

  test('take a batch with readings older than the database keeps', async () => {
    const options = version1()
    await query(options, `CREATE DATABASE "${options.bucket}" WITH DURATION 1h`)
    const readings = await openInfluxReadings({ ...options, kinds })
    const fresh = { ...reading('s1', 0, { level: 2 }), timeMs: Date.now() }
    await insert(readings, 1, [reading('s1', -1e10, { level: 1 }), fresh])
    assert.deepEqual(await readings.find('bin', [fresh]), [fresh])
    await readings.close()
  })

  test('say so, and can be tried again, while the server is down', async () => {
    const own = await startInfluxd()
    const options = { url: own.url, version: '1', token: null, org: '', bucket: 'city', kinds } as const
    const readings = await openInfluxReadings(options)
    const unavailable = { code: 'readings-unavailable', retryable: true, status: 503 }
    await own.kill()
    await assert.rejects(insert(readings, 1, [reading('s1', 0, { level: 1 })]), unavailable)
    await assert.rejects(readings.check(), unavailable)
    await assert.rejects(readings.find('bin', [reading('s1', 0, {})]), unavailable)
    await assert.rejects(openInfluxReadings(options), unavailable)

    await own.start()
    await insert(readings, 1, [reading('s1', 0, { level: 1 })])
    await readings.check()
    assert.equal((await readings.find('bin', [reading('s1', 0, {})])).length, 1)
    await readings.close()
    await own.stop()
  })

  test('open without the server where it may be away, and are ready once it is there', async () => {
    const own = await startInfluxd()
    const options = { url: own.url, version: '1', token: null, org: '', bucket: 'city', kinds } as const
    await own.kill()
    const readings = await openInfluxReadings({ ...options, mayBeAway: true })
    assert.equal(await readings.position(), 0)
    await assert.rejects(insert(readings, 1, [reading('s1', 0, { level: 1 })]), {
      code: 'readings-unavailable',
    })
    await own.start()
    await insert(readings, 1, [reading('s1', 0, { level: 1 })])
    assert.equal((await readings.find('bin', [reading('s1', 0, {})])).length, 1)
    await readings.close()
    await own.stop()
  })

  test('do not wait for ever for a server that does not answer', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const opening = openInfluxReadings({ ...version1(), url, kinds, timeoutMs: 50 })
    await assert.rejects(opening, { code: 'readings-unavailable', retryable: true })
    silent.close()
  })

  test('refuse a bucket of a newer version', async () => {
    const options = version1()
    await (await openInfluxReadings({ ...options, kinds })).close()
    await fetch(`${options.url}/write?${new URLSearchParams({ db: options.bucket }).toString()}`, {
      method: 'POST',
      body: 'pulso-schema version=99',
    })
    await assert.rejects(openInfluxReadings({ ...options, kinds }), { code: 'readings-too-new' })
  })

  test('say that a token is not accepted', async () => {
    const opening = openInfluxReadings({ ...version2(), token: 'wrong', kinds })
    await assert.rejects(opening, { code: 'readings-unavailable', message: /unauthorized/i })
  })

  test('say that there is no such organisation', async () => {
    const opening = openInfluxReadings({ ...version2(), org: 'nobody', kinds })
    await assert.rejects(opening, { code: /readings-(refused|unavailable)/, message: /nobody|organization/ })
  })
})

async function query({ url, bucket }: { url: string; bucket: string }, q: string): Promise<unknown> {
  const parameters = new URLSearchParams({ db: bucket, epoch: 'ms', q })
  const response = await fetch(`${url}/query`, { method: 'POST', body: parameters })
  const { results } = (await response.json()) as { results: { series?: { values: unknown[][] }[] }[] }
  return results.flatMap(({ series = [] }) => series.flatMap(({ values }) => values))
}
