import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openDuckdbReadings, openInfluxReadings } from '@pulso/stores/readings'
import { walkWindows, type Window } from '../src/export/windows.ts'
import { readAll, testExports } from './export-conformance.ts'
import { insert, reading } from './readings-conformance.ts'
import { createFolder } from './support/folder.ts'
import { influxdMissing, startInfluxd, type Influxd } from './support/influxd.ts'
import { createKinds } from './support/kinds.ts'

testExports('duckdb', async () => {
  const folder = createFolder()
  return {
    open: (kinds) => openDuckdbReadings({ file: `${folder.path}/readings.duckdb`, kinds }),
    remove: async () => folder.remove(),
  }
})

describe('exports from InfluxDB', { skip: influxdMissing() }, () => {
  let influxd: Influxd
  let bucketCount = 0
  before(async () => (influxd = await startInfluxd()))
  after(() => influxd.stop())

  testExports('influxdb', async () => {
    const bucket = `city-${++bucketCount}`
    const server = { url: influxd.url, version: '1', token: null, org: '', bucket } as const
    return { open: (kinds) => openInfluxReadings({ ...server, kinds }), remove: async () => undefined }
  })
})

describe('an export from DuckDB', () => {
  const QUERY = { kind: 'bin', fromMs: 0, toMs: 4e12, metrics: ['level'] }

  test('sees what was stored when it was opened, and no correction of later', async (context) => {
    const folder = createFolder()
    const readings = await openDuckdbReadings({ file: `${folder.path}/r.duckdb`, kinds: createKinds() })
    context.after(async () => {
      await readings.close()
      folder.remove()
    })
    await insert(readings, 1, [reading('s1', 0, { level: 1 })])
    const taking = await readings.openExport(QUERY)
    await readings.write({
      position: 2,
      inserts: new Map([['bin', [reading('s2', 0, { level: 3 })]]]),
      replacements: new Map([['bin', [reading('s1', 0, { level: 2 })]]]),
    })
    assert.deepEqual(await readAll(taking), [reading('s1', 0, { level: 1 })])
    assert.equal((await readAll(await readings.openExport(QUERY))).length, 2)
  })

  test('ends with the readings, also in the middle of one', async () => {
    const folder = createFolder()
    const readings = await openDuckdbReadings({ file: `${folder.path}/r.duckdb`, kinds: createKinds() })
    await insert(readings, 1, [reading('s1', 0, { level: 1 })])
    const taking = await readings.openExport(QUERY)
    await readings.close()
    await assert.rejects(taking.next(), { code: 'export-closed' })
    folder.remove()
  })
})

describe('windows of an export', () => {
  const walk = async (times: readonly number[], maxRows: number, range: Window): Promise<Window[]> => {
    const count = async ({ fromMs, toMs }: Window): Promise<number> =>
      times.filter((time) => time >= fromMs && time < toMs).length
    return Array.fromAsync(walkWindows({ ...range, maxRows, count }))
  }

  test('hold every time once, and no more than they may unless it is one instant', async () => {
    const times = Array.from({ length: 2_000 }, (_, n) => (n % 2 ? 5_000_000 : n * n * 37))
    const range = { fromMs: 0, toMs: 4e12 }
    const windows = await walk(times, 50, range)
    const found = windows.map(({ fromMs, toMs }) => times.filter((time) => time >= fromMs && time < toMs))
    assert.equal(found.flat().length, times.length)
    for (const [index, { fromMs, toMs }] of windows.entries()) {
      assert.ok((found[index]?.length ?? 0) <= 50 || toMs - fromMs === 1)
      assert.ok(fromMs >= (windows[index - 1]?.toMs ?? 0))
    }
  })

  test('are few where nothing is', async () => {
    let asked = 0
    const count = async (): Promise<number> => (asked++, 0)
    const year = { fromMs: 0, toMs: 366 * 86_400_000 }
    assert.deepEqual(await Array.fromAsync(walkWindows({ ...year, maxRows: 10, count })), [])
    assert.ok(asked < 30, `asked ${asked} times`)
  })
})
