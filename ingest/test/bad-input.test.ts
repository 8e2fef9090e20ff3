import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS } from '@pulso/model'
import { startCity } from './support/city.ts'

const BAY = 'pulso/parking/bay/telemetry'
const STATION = 'pulso/environment/air/telemetry'

describe('bad input', () => {
  const cases: [claim: string, topic: string, payload: unknown, reason: string, metric?: string][] = [
    ['an empty payload', BAY, '', 'empty-payload'],
    ['wrong JSON', BAY, '{"status": free}', 'invalid-json'],
    ['JSON cut off', BAY, '{"status":"fr', 'invalid-json'],
    ['text that is not UTF-8', BAY, Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d), 'invalid-json'],
    ['a bare value', BAY, '"free"', 'invalid-payload'],
    ['null', BAY, 'null', 'invalid-payload'],
    ['a batch of too many', BAY, new Array(1_001).fill({ status: 'free' }), 'batch-too-large'],
    ['an unknown kind', 'pulso/parkign/bay2/telemetry', { status: 'free' }, 'unknown-kind'],
    ['an unknown kind with a name of JavaScript', 'pulso/__proto__/bay2/telemetry', {}, 'unknown-kind'],
    ['a wrong type', STATION, { pm25: '12' }, 'wrong-type', 'pm25'],
    ['a number where a word belongs', BAY, { status: 1 }, 'wrong-type', 'status'],
    ['a number beyond all numbers', STATION, '{"pm25":1e999}', 'wrong-type', 'pm25'],
    ['an unknown word', BAY, { status: 'Free' }, 'unknown-value', 'status'],
    ['a value out of range', STATION, { temperature: 451 }, 'out-of-range', 'temperature'],
    ['a share in percent', STATION, { relativeHumidity: 55 }, 'out-of-range', 'relativeHumidity'],
    ['a time without zone', BAY, { time: '2026-05-01T12:00:00', status: 'free' }, 'invalid-time'],
    ['a time in seconds', BAY, { time: 1_780_000_000, status: 'free' }, 'invalid-time'],
    ['a time of the wrong type', BAY, { time: [1], status: 'free' }, 'invalid-time'],
    ['a time in the future', BAY, { time: Date.now() + HOUR_MS, status: 'free' }, 'clock'],
    ['a time long ago', BAY, { time: Date.now() - 8 * 24 * HOUR_MS, status: 'free' }, 'clock'],
    ['presence in other words', 'pulso/parking/bay/presence', 'here', 'invalid-payload'],
    ['empty presence', 'pulso/parking/bay/presence', '', 'empty-payload'],
    [
      'more free spaces than there are',
      'pulso/carpark/lot/telemetry',
      { totalSpotNumber: 140, availableSpotNumber: 8_259 },
      'over-capacity',
      'availableSpotNumber',
    ],
    [
      'less than nothing free',
      'pulso/carpark/lot/telemetry',
      { availableSpotNumber: -3 },
      'out-of-range',
      'availableSpotNumber',
    ],
  ]

  test('each has its reason, and what comes after it arrives', async (context) => {
    const city = await startCity(context)
    for (const [, topic, payload] of cases) await city.send(topic, payload)
    await city.send('pulso/parking/other/telemetry', { status: 'occupied' })
    await city.settled()

    const entries = await city.quarantine()
    assert.deepEqual(
      entries.map(({ reason, metric }) => [reason, metric]),
      cases.map(([, , , reason, metric]) => [reason, metric ?? null]),
    )
    for (const entry of entries) {
      assert.ok(entry.detail.length > 10, `${entry.reason} explains itself`)
      assert.match(entry.topic, new RegExp(`/${entry.sensorId ?? 'nobody'}/`))
    }
    assert.equal(entries.length, city.ingest.stats().messagesQuarantined)
    assert.equal((await city.points('parking', 'other', 'status')).length, 1)
    assert.deepEqual(await city.points('parking', 'bay', 'status'), [])
  })

  test('one bad metric is set aside alone', async (context) => {
    const city = await startCity(context)
    await city.put(STATION, { pm25: 9_999, pm10: 12, no2: '3' })
    assert.deepEqual((await city.points('environment', 'air', 'pm10')).length, 1)
    assert.deepEqual(
      (await city.quarantine()).map(({ metric, reason }) => [metric, reason]),
      [
        ['pm25', 'out-of-range'],
        ['no2', 'wrong-type'],
      ],
    )
  })

  test('one bad element of a batch is set aside alone, with its own text', async (context) => {
    const city = await startCity(context)
    const timeMs = Date.now()
    await city.put(BAY, [{ time: timeMs, status: 'free' }, 7, { time: timeMs + 1, status: 'fre' }])
    assert.deepEqual(await city.points('parking', 'bay', 'status'), [[timeMs, 'free']])
    const entries = await city.quarantine()
    assert.deepEqual(
      entries.map(({ payload }) => JSON.parse(Buffer.from(payload).toString()) as unknown),
      [7, { status: 'fre', time: timeMs + 1 }],
    )
    assert.match(entries[0]?.detail ?? '', /Element 1/)
  })

  test('unknown metrics are counted and ignored; a message with nothing else stores nothing', async (context) => {
    const city = await startCity(context)
    await city.put(BAY, { status: 'free', colour: 'red', nested: { a: 1 } })
    await city.put('pulso/parking/empty/telemetry', { colour: 'red', status: null })
    assert.equal(await city.count('pulso_metrics_unknown_total'), 3)
    assert.equal((await city.points('parking', 'bay', 'status')).length, 1)
    assert.deepEqual(await city.quarantine(), [])
    assert.equal(await city.state('empty'), undefined)
    assert.equal(await city.registry.getSensor('empty'), undefined)
  })

  test('names of JavaScript are names like any other', async (context) => {
    const city = await startCity(context)
    const evil =
      '{"__proto__":{"status":"free"},"constructor":{"prototype":{}},"toString":1,"status":"occupied"}'
    await city.put(BAY, evil)
    await city.put('pulso/parking/__proto__/telemetry', { status: 'free' })
    assert.equal(({} as Record<string, unknown>).status, undefined)
    assert.equal((await city.state('bay'))?.values.status?.value, 'occupied')
    assert.equal((await city.state('__proto__'))?.values.status?.value, 'free')
  })

  test('the last of two equal keys wins, a byte order mark does no harm', async (context) => {
    const city = await startCity(context)
    await city.put(BAY, '\uFEFF{"status":"free","status":"occupied"}')
    assert.equal((await city.state('bay'))?.values.status?.value, 'occupied')
  })

  test('nesting 30,000 deep stops nothing', async (context) => {
    const city = await startCity(context)
    const deep = '['.repeat(30_000) + ']'.repeat(30_000)
    await city.send(BAY, deep)
    await city.send(BAY, `{"status":${deep}}`)
    await city.send(BAY, `[1,${deep}]`)
    await city.put(BAY, { status: 'free' })
    assert.equal((await city.points('parking', 'bay', 'status')).length, 1)
    assert.ok((await city.quarantine()).length >= 3)
  })

  test('a sensor of another kind is not believed', async (context) => {
    const city = await startCity(context)
    await city.put(BAY, { status: 'free' })
    await city.put('pulso/lighting/bay/telemetry', { powerState: 'on' })
    const [entry] = await city.quarantine()
    assert.deepEqual([entry?.reason, entry?.sensorId], ['kind-mismatch', 'bay'])
    assert.match(entry?.detail ?? '', /'parking', not as 'lighting'/)
  })

  test('nonsense from an unknown sensor does not settle its kind', async (context) => {
    const city = await startCity(context)
    await city.send('pulso/lighting/bay/telemetry', { powerState: 'maybe' })
    await city.put(BAY, { status: 'free' })
    assert.equal((await city.registry.getSensor('bay'))?.kind, 'parking')
  })

  test('sensors beyond the bound are not made known', async (context) => {
    const city = await startCity(context, { limits: { sensors: 1 } })
    await city.send('pulso/parking/first/telemetry', { status: 'free' })
    await city.put('pulso/parking/second/telemetry', { status: 'free' })
    assert.deepEqual(
      (await city.quarantine()).map(({ reason, sensorId }) => [reason, sensorId]),
      [['unknown-sensor', 'second']],
    )
  })

  test('a quarantine as large as its bound closes the batch, not ingest', async (context) => {
    const city = await startCity(context, { limits: { batchQuarantineEntries: 2 } })
    for (let i = 0; i < 7; i++) await city.send(BAY, 'x')
    await city.put(BAY, { status: 'free' })
    assert.equal((await city.quarantine()).length, 7)
    assert.equal((await city.points('parking', 'bay', 'status')).length, 1)
  })
})
