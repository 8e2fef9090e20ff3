import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS, MINUTE_MS } from '@pulso/model'
import { waitFor } from '../../test/support/wait.ts'
import { startCity } from './support/city.ts'

const STATION = 'pulso/environment/air/telemetry'
const noon = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 24 * HOUR_MS

describe('the state of a sensor', () => {
  test('keeps the newest reading when a late one arrives, metric by metric', async (context) => {
    const city = await startCity(context)
    await city.put(STATION, { time: noon, pm25: 5, temperature: 20 })
    await city.put(STATION, { time: noon + MINUTE_MS, pm25: 6 })
    await city.put(STATION, { time: noon + 1_000, pm25: 99, temperature: 21, no2: 4 })
    const state = await city.state('air')
    assert.deepEqual(state?.values, {
      pm25: { value: 6, timeMs: noon + MINUTE_MS },
      temperature: { value: 21, timeMs: noon + 1_000 },
      no2: { value: 4, timeMs: noon + 1_000 },
    })
    assert.equal(state.timeMs, noon + MINUTE_MS)
    assert.equal((await city.points('environment', 'air', 'pm25')).length, 3)
  })

  test('takes a correction at the newest time', async (context) => {
    const city = await startCity(context)
    await city.put(STATION, { time: noon, pm25: 5 })
    await city.put(STATION, { time: noon, pm25: 7 })
    const state = await city.state('air')
    assert.equal(state?.values.pm25?.value, 7)
    assert.deepEqual(state.hourly.pm25, { mean: 7, coverage: 1 / 12 })
  })

  test('has the mean of the hour before its newest reading, late ones in their place', async (context) => {
    const city = await startCity(context)
    const times = [0, 5, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60]
    for (const minute of times) await city.send(STATION, { time: noon + minute * MINUTE_MS, pm25: minute })
    await city.settled()
    // The reading at minute 0 is one hour old exactly: it has left the window.
    assert.equal((await city.state('air'))?.hourly.pm25?.coverage, 11 / 12)

    await city.send(STATION, { time: noon + 10 * MINUTE_MS, pm25: 10 })
    await city.put(STATION, { time: noon + 10 * MINUTE_MS, pm25: 10 })
    const hourly = (await city.state('air'))?.hourly.pm25
    assert.deepEqual(hourly, { mean: (78 * 5) / 12, coverage: 1 })
  })

  test('stays small for a sensor that measures all the time', async (context) => {
    const city = await startCity(context)
    const seconds = Array.from({ length: 4_000 }, (_, second) => second)
    for (let start = 0; start < seconds.length; start += 1_000) {
      const part = seconds.slice(start, start + 1_000)
      await city.send(
        STATION,
        part.map((second) => ({ time: noon + second * 1_000, pm25: 10 })),
      )
    }
    await city.settled()
    const state = (await city.registry.listStates())[0]
    assert.ok((state?.window.pm25?.length ?? 0) <= 121)
    assert.deepEqual(state?.hourly.pm25, { mean: 10, coverage: 1 })
  })

  test('tells presence, which is no reading', async (context) => {
    const city = await startCity(context)
    await city.put('pulso/parking/bay/presence', 'online')
    const first = await city.state('bay')
    assert.deepEqual([first?.presence, first?.timeMs, first?.values], ['online', 0, {}])
    await city.put('pulso/parking/bay/telemetry', { time: noon, status: 'free' })
    await city.put('pulso/parking/bay/presence', 'offline')
    const last = await city.state('bay')
    assert.deepEqual([last?.presence, last?.timeMs], ['offline', noon])
  })

  test('is not touched by the result of a command, which is taken and counted', async (context) => {
    const city = await startCity(context)
    await city.put('pulso/lighting/lamp/command/result', { id: '1', status: 'done' })
    assert.deepEqual(await city.quarantine(), [])
    assert.equal(await city.state('lamp'), undefined)
    assert.equal(await city.count('pulso_ingest_messages_total{channel="command/result"}'), 1)
  })

  test('is told after it is committed, with sensors first heard of', async (context) => {
    const city = await startCity(context)
    await city.put('pulso/parking/new/telemetry', { time: noon, status: 'free' })
    await waitFor(() => city.told.states.length > 0, { what: 'listeners to be told' })
    assert.deepEqual(city.told.sensors.map(({ id, kind, position }) => [id, kind, position]).slice(0, 1), [
      ['new', 'parking', null],
    ])
    assert.equal(city.told.states[0]?.values.status?.value, 'free')
    assert.equal((await city.registry.getSensor('new'))?.position, null)
  })

  test('knows a sensor that was added while running, and its capacity', async (context) => {
    const city = await startCity(context, { limits: { refreshMs: 10 } })
    const sensor = { id: 'lot', kind: 'carpark', name: 'Lot', position: null, createdAtMs: noon }
    await city.registry.putSensors([{ ...sensor, attributes: { totalSpotNumber: 10 } }])
    await waitFor(() => city.told.sensors.length === 1, { what: 'the sensor to be known' })
    await city.put('pulso/carpark/lot/telemetry', { availableSpotNumber: 11 })
    assert.deepEqual(
      (await city.quarantine()).map(({ reason }) => reason),
      ['over-capacity'],
    )
    await city.registry.putSensors([{ ...sensor, attributes: { totalSpotNumber: 12 } }])
    await city.put('pulso/carpark/lot/telemetry', { availableSpotNumber: 11 })
    assert.equal((await city.state('lot'))?.values.availableSpotNumber?.value, 11)
  })

  test('a listener that throws holds nothing up', async (context) => {
    const city = await startCity(context, {
      onStates: () => {
        throw new Error('not mine')
      },
    })
    await city.put('pulso/parking/a/telemetry', { status: 'free' })
    await city.put('pulso/parking/b/telemetry', { status: 'free' })
    assert.equal((await city.points('parking', 'b', 'status')).length, 1)
  })
})
