import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { HOUR_MS, MINUTE_MS, WEEK_MS, type Reading } from '@pulso/model'
import type { AggregateQuery, Rollups } from '@pulso/stores'
import { openInfluxReadings, type InfluxReadingsOptions } from '@pulso/stores/readings'
import { insert } from './readings-conformance.ts'
import { testRollups } from './rollups-conformance.ts'
import { influxdMissing, startInfluxd, type Influxd } from './support/influxd.ts'
import { startInflux2Front, type Influx2Front } from './support/influx2-front.ts'
import { createKinds } from './support/kinds.ts'

const skip = influxdMissing()
const kinds = createKinds()

const T = Date.UTC(2026, 4, 4, 10)
const LATER = T + 10 * HOUR_MS
const HOURS = [0, 1].map((n) => ({ fromMs: T + n * HOUR_MS, toMs: T + (n + 1) * HOUR_MS }))
const PLAN = { kind: 'bin', resolution: '1h', buckets: HOURS, nowMs: LATER } as const
const CITY: AggregateQuery = {
  kind: 'bin',
  scope: 'city',
  id: '',
  metric: 'level',
  resolution: '1h',
  buckets: HOURS,
}

describe('aggregates in InfluxDB', { skip }, () => {
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

  const version1 = (url = influxd.url): Omit<InfluxReadingsOptions, 'kinds'> => ({
    url,
    version: '1',
    token: null,
    org: '',
    bucket: `city ${++bucketCount}`,
  })
  const version2 = (): Omit<InfluxReadingsOptions, 'kinds'> => ({
    url: front.url,
    version: '2',
    token: front.token,
    org: front.org,
    bucket: `city-${++bucketCount}`,
  })
  for (const [name, create] of [
    ['influxdb 1', version1],
    ['influxdb, addressed as version 2', version2],
  ] as const) {
    testRollups(name, async () => {
      const options = create()
      return { open: (own) => openInfluxReadings({ ...options, kinds: own }), remove: async () => undefined }
    })
  }

  test('are in a bucket for each resolution, with scope and id as tags and floats as fields', async () => {
    const options = version1()
    const readings = await openInfluxReadings({ ...options, kinds })
    await insert(readings, 1, [said('s1', 5, { level: 1, lid: 'open' })])
    await putPlaces(readings.rollups, ['s1'])
    for (const resolution of ['5m', '1h', '1d'] as const) {
      const toMs = T + { '5m': 10 * MINUTE_MS, '1h': HOUR_MS, '1d': 24 * HOUR_MS }[resolution]
      const fromMs = resolution === '5m' ? T + 5 * MINUTE_MS : T
      await readings.rollups.rollUp({ ...PLAN, resolution, buckets: [{ fromMs, toMs }] })
      const ask = (q: string): Promise<unknown[][]> =>
        query(influxd.url, `${options.bucket}_${resolution}`, q)
      assert.deepEqual(await ask('SHOW TAG KEYS FROM bin'), [['id'], ['scope']])
      const fields = new Map((await ask('SHOW FIELD KEYS FROM bin')).map(([name, type]) => [name, type]))
      const types = ['level_count', 'level_sum', 'lid_open_ms', 'lid_shut_ms', 'elapsed_ms'].map((field) =>
        fields.get(field),
      )
      assert.deepEqual(types, ['float', 'float', 'float', 'float', 'float'])
      assert.equal(fields.get('lid_last'), 'string')
      const scopes = (await ask('SELECT "scope", "level_sum" FROM bin')).map(([, scope]) => scope)
      assert.deepEqual(scopes.sort(), resolution === '5m' ? ['city', 'zone'] : ['city', 'sensor', 'zone'])
    }
    await readings.close()
  })

  test('take a fraction where the first value looked like a whole number', async () => {
    const readings = await openInfluxReadings({ ...version1(), kinds })
    await putPlaces(readings.rollups, ['s1'])
    await insert(readings, 1, [said('s1', 5, { level: 2 }), said('s1', 65, { level: 2.5 })])
    await readings.rollups.rollUp({ ...PLAN, buckets: HOURS.slice(0, 1) })
    await readings.rollups.rollUp({ ...PLAN, buckets: HOURS.slice(1) })
    assert.deepEqual(await sums(readings.rollups), [2, 2.5])
    await readings.close()
  })

  test('sum up more sensors than are worked on at once', async () => {
    const readings = await openInfluxReadings({ ...version1(), kinds, sensorsAtOnce: 3 })
    const ids = Array.from({ length: 8 }, (_, n) => `s${n}.|(/`)
    await putPlaces(readings.rollups, ids)
    await insert(
      readings,
      1,
      ids.map((id, n) => said(id, 5 + n, { level: 1, lid: 'open' })),
    )
    await readings.rollups.rollUp(PLAN)
    assert.deepEqual(await sums(readings.rollups), [8])
    const measured = await readings.rollups.measure(CITY, LATER)
    assert.deepEqual(measured, await readings.rollups.aggregates(CITY))
    const day = { resolution: '1d', buckets: [{ fromMs: T, toMs: T + 24 * HOUR_MS }] } as const
    await readings.rollups.rollUp({ ...PLAN, ...day })
    const one = { ...CITY, ...day, scope: 'sensor', id: 's7.|(/' } as const
    assert.equal((await readings.rollups.aggregates(one))[0]?.parts.level_sum, 1)
    await readings.close()
  })

  test('are there after the server was killed', async () => {
    const own = await startInfluxd()
    const readings = await openInfluxReadings({ ...version1(own.url), kinds })
    await insert(readings, 1, [said('s1', 5, { level: 3 })])
    await putPlaces(readings.rollups, ['s1'])
    await readings.rollups.rollUp(PLAN)
    await own.kill()
    await own.start()
    assert.deepEqual(await sums(readings.rollups), [3])
    await readings.close()
    await own.stop()
  })

  test('say so, and can be tried again, while the server is down', async () => {
    const own = await startInfluxd()
    const readings = await openInfluxReadings({ ...version1(own.url), kinds })
    await insert(readings, 1, [said('s1', 5, { level: 3 })])
    await putPlaces(readings.rollups, ['s1'])
    await own.kill()
    const unavailable = { code: 'readings-unavailable', retryable: true, status: 503 }
    await assert.rejects(readings.rollups.rollUp(PLAN), unavailable)
    await assert.rejects(readings.rollups.aggregates(CITY), unavailable)
    await assert.rejects(readings.rollups.measure(CITY, LATER), unavailable)
    await assert.rejects(readings.rollups.forget('raw', T), unavailable)
    await assert.rejects(readings.rollups.oldestReadingMs('bin'), unavailable)
    await assert.rejects(readings.rollups.sizes(), unavailable)
    await own.start()
    assert.deepEqual(await sums(readings.rollups), [])
    await readings.rollups.rollUp(PLAN)
    assert.deepEqual(await sums(readings.rollups), [3])
    await readings.close()
    await own.stop()
  })

  test('are left unfinished when the readings are closed, to be worked out again', async () => {
    const options = version1()
    const readings = await openInfluxReadings({ ...options, kinds })
    await insert(readings, 1, [said('s1', 5, { level: 3 })])
    await putPlaces(readings.rollups, ['s1'])
    const rolling = assert.rejects(readings.rollups.rollUp(PLAN), { code: 'readings-unavailable' })
    await readings.close()
    await rolling
    const again = await openInfluxReadings({ ...options, kinds })
    await putPlaces(again.rollups, ['s1'])
    await again.rollups.rollUp(PLAN)
    assert.deepEqual(await sums(again.rollups), [3])
    await again.close()
  })

  test('take no part of an answer for the whole, when the server stands still', async () => {
    const own = await startInfluxd()
    const readings = await openInfluxReadings({ ...version1(own.url), kinds, timeoutMs: 50 })
    await insert(readings, 1, [said('s1', 5, { level: 3 })])
    await putPlaces(readings.rollups, ['s1'])
    own.signal('SIGSTOP')
    await assert.rejects(readings.rollups.measure(CITY, LATER), {
      code: 'readings-unavailable',
      retryable: true,
    })
    own.signal('SIGCONT')
    await readings.rollups.measure(CITY, LATER)
    await readings.close()
    await own.stop()
  })

  for (const [name, create] of [
    ['1.x', version1],
    ['2.x', version2],
  ] as const) {
    test(`are kept as long as it is said, also when that changes, on ${name}`, async () => {
      const options = create()
      const keeping = async (): Promise<unknown[]> => {
        const names = ['', '_5m', '_1h', '_1d'].map((suffix) => `${options.bucket}${suffix}`)
        return Promise.all(
          names.map(
            async (database) =>
              (await query(influxd.url, '', `SHOW RETENTION POLICIES ON "${database}"`))[0]?.[1],
          ),
        )
      }
      const open = async (retentionMs?: InfluxReadingsOptions['retentionMs']): Promise<void> => {
        await (await openInfluxReadings({ ...options, kinds, ...(retentionMs && { retentionMs }) })).close()
      }
      await open({ raw: 2 * WEEK_MS, '5m': 10 * WEEK_MS, '1h': null, '1d': null })
      assert.deepEqual(await keeping(), ['336h0m0s', '1680h0m0s', '0s', '0s'])
      await open({ raw: 3 * HOUR_MS, '5m': null, '1h': WEEK_MS, '1d': null })
      assert.deepEqual(await keeping(), ['3h0m0s', '0s', '168h0m0s', '0s'])
      await open()
      assert.deepEqual(await keeping(), ['3h0m0s', '0s', '168h0m0s', '0s'])
    })
  }

  test('are forgotten by the server alone where it has a retention, and by time where it has none', async () => {
    const retentionMs = { raw: null, '5m': null, '1h': 5_000 * WEEK_MS, '1d': null }
    const readings = await openInfluxReadings({ ...version1(), kinds, retentionMs })
    await insert(readings, 1, [said('s1', 5, { level: 3 })])
    await putPlaces(readings.rollups, ['s1'])
    await readings.rollups.rollUp(PLAN)
    assert.equal(await readings.rollups.forget('1h', LATER), null)
    assert.deepEqual(await sums(readings.rollups), [3])
    assert.equal(await readings.rollups.forget('raw', LATER), null)
    assert.equal(await readings.rollups.oldestReadingMs('bin'), null)
    await readings.close()
  })

  test('tell readings and aggregates that the server dropped as too old', async () => {
    const dropped: string[] = []
    const retentionMs = { raw: null, '5m': null, '1h': 2 * HOUR_MS, '1d': null }
    const onBeyondRetention = (detail: string): void => void dropped.push(detail)
    const readings = await openInfluxReadings({ ...version1(), kinds, retentionMs, onBeyondRetention })
    await insert(readings, 1, [said('s1', 5, { level: 3 })])
    await putPlaces(readings.rollups, ['s1'])
    await readings.rollups.rollUp(PLAN)
    assert.match(dropped.join(), /beyond retention policy/)
    assert.deepEqual(await sums(readings.rollups), [])
    await readings.close()
  })

  test('tell their room on the disk where the server does', async () => {
    const readings = await openInfluxReadings({ ...version1(), kinds })
    await insert(readings, 1, [said('s1', 5, { level: 3 })])
    const { totalBytes } = await readings.rollups.sizes()
    assert.ok(totalBytes !== null && totalBytes > 0)
    await putPlaces(readings.rollups, ['s1'])
    await readings.rollups.rollUp(PLAN)
    assert.ok(Number((await readings.rollups.sizes()).totalBytes) > totalBytes)
    await readings.close()
    const remote = await openInfluxReadings({ ...version2(), kinds })
    assert.deepEqual(await remote.rollups.sizes(), { totalBytes: null, rows: null })
    await remote.close()
  })
})

async function putPlaces(rollups: Rollups, ids: readonly string[]): Promise<void> {
  await rollups.putPlaces(ids.map((sensorId) => ({ sensorId, kind: 'bin', zone: 'a', holdMs: HOUR_MS })))
}

async function sums(rollups: Rollups): Promise<unknown[]> {
  return (await rollups.aggregates(CITY)).map(({ parts }) => parts.level_sum)
}

function said(sensorId: string, afterMinutes: number, values: Reading['values']): Reading {
  const timeMs = T + afterMinutes * MINUTE_MS
  return { sensorId, timeMs, receivedAtMs: timeMs + 42, values }
}

async function query(url: string, database: string, q: string): Promise<unknown[][]> {
  const parameters = new URLSearchParams({ db: database, epoch: 'ms', q })
  const response = await fetch(`${url}/query`, { method: 'POST', body: parameters })
  const { results } = (await response.json()) as { results: { series?: { values: unknown[][] }[] }[] }
  return results.flatMap(({ series = [] }) => series.flatMap(({ values }) => values))
}
