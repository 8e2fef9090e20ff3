import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MINUTE_MS } from '@pulso/model'
import { startCity } from './support/city.ts'

const STATION = 'pulso/environment/air/telemetry'
const noon = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 120 * MINUTE_MS

describe('identity is (sensor, time), merged per metric', () => {
  for (const together of [true, false]) {
    const how = together ? 'in one batch' : 'in batches of their own'

    test(`${how}: an equal value is a duplicate, a missing one fills in, a different one corrects`, async (context) => {
      const city = await startCity(context, { limits: { batchMessages: together ? 100 : 1 } })
      await city.send(STATION, { time: noon, pm25: 5 })
      await city.send(STATION, { time: noon, pm25: 5 })
      await city.send(STATION, { time: noon, no2: 20 })
      await city.send(STATION, { time: noon, pm25: 6, no2: 20 })
      await city.settled()

      assert.deepEqual(await city.points('environment', 'air', 'pm25'), [[noon, 6]])
      assert.deepEqual(await city.points('environment', 'air', 'no2'), [[noon, 20]])
      const { readingsStored, readingsDuplicate, readingsCorrected } = city.ingest.stats()
      assert.deepEqual([readingsStored, readingsDuplicate, readingsCorrected], [2, 1, 1])
      assert.equal(await city.count('pulso_readings_stored_total'), 2)
      assert.equal(await city.count('pulso_readings_duplicate_total'), 1)
      assert.equal(await city.count('pulso_readings_corrected_total'), 1)
    })

    test(`${how}: the same holds for late readings`, async (context) => {
      const city = await startCity(context, { limits: { batchMessages: together ? 100 : 1 } })
      await city.put(STATION, { time: noon, pm25: 5 })
      await city.put(STATION, { time: noon + 60_000, pm25: 7 })
      await city.send(STATION, { time: noon, pm25: 5 })
      await city.send(STATION, { time: noon, no2: 1 })
      await city.send(STATION, { time: noon, pm25: 4 })
      await city.send(STATION, { time: noon - 60_000, pm25: 3 })
      await city.send(STATION, { time: noon - 60_000, pm25: 3 })
      await city.settled()

      assert.deepEqual(await city.points('environment', 'air', 'pm25'), [
        [noon - 60_000, 3],
        [noon, 4],
        [noon + 60_000, 7],
      ])
      assert.deepEqual(await city.points('environment', 'air', 'no2'), [[noon, 1]])
      const { readingsStored, readingsDuplicate, readingsCorrected } = city.ingest.stats()
      assert.deepEqual([readingsStored, readingsDuplicate, readingsCorrected], [4, 2, 1])
    })
  }

  test('a reading newer than the newest is not looked up, nor is one at the same time', async (context) => {
    let lookUps = 0
    const city = await startCity(context, {
      limits: { batchMessages: 1 },
      wrap: ({ readings }) => ({
        readings: { ...readings, find: (...asked) => (lookUps++, readings.find(...asked)) },
      }),
    })
    for (let i = 0; i < 5; i++) await city.send(STATION, { time: noon + i, pm25: i })
    await city.send(STATION, { time: noon + 4, no2: 1 })
    await city.settled()
    assert.equal(lookUps, 0)
    await city.put(STATION, { time: noon + 3, pm25: 3 })
    assert.equal(lookUps, 1)
    assert.equal(city.ingest.stats().readingsDuplicate, 1)
  })

  test('objects without a time keep an identity each, one millisecond apart', async (context) => {
    const city = await startCity(context)
    await city.put(STATION, [{ pm25: 1 }, { pm25: 2 }, { pm25: 3 }])
    await city.put(STATION, { pm25: 4 })
    const points = await city.points('environment', 'air', 'pm25')
    assert.deepEqual(
      points.map(([, value]) => value),
      [1, 2, 3, 4],
    )
    const [first = 0] = points[0] ?? []
    assert.deepEqual(
      points.slice(0, 3).map(([timeMs]) => timeMs - first),
      [0, 1, 2],
    )
  })

  test('a batch may hold the past in any order', async (context) => {
    const city = await startCity(context)
    const order = [3, 0, 4, 1, 2, 4, 0]
    await city.put(
      STATION,
      order.map((i) => ({ time: noon + i * 1_000, pm25: i })),
    )
    assert.deepEqual(
      await city.points('environment', 'air', 'pm25'),
      [0, 1, 2, 3, 4].map((i) => [noon + i * 1_000, i]),
    )
    assert.equal(city.ingest.stats().readingsDuplicate, 2)
  })

  test('more readings than a batch may hold are spread over several', async (context) => {
    const city = await startCity(context, { limits: { batchReadings: 3 } })
    for (let i = 0; i < 10; i++) await city.send(STATION, { time: noon + i, pm25: i })
    await city.settled()
    assert.equal((await city.points('environment', 'air', 'pm25')).length, 10)
  })
})
