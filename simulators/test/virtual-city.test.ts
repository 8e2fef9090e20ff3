import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, parseTime, systemClock, toIsoTime } from '@pulso/model'
import { createVirtualCity, planVirtualCity, type VirtualCityOptions } from '../src/index.ts'
import { GATEWAY, silentLogger, startBroker, type Received, type TestBroker } from './broker.ts'
import { readSantander } from './cities.ts'

const city = await readSantander()
const SMALL = { bays: 60, lamps: 20, stations: 10, carParks: 2 }
const sensors = planVirtualCity({ city, seed: 7, counts: SMALL })

function optionsFor(broker: TestBroker, more: Partial<VirtualCityOptions> = {}): VirtualCityOptions {
  return {
    sensors,
    city,
    seed: 7,
    clock: systemClock,
    logger: silentLogger,
    mqttUrl: broker.url,
    ...GATEWAY,
    backfillMs: 0,
    ...more,
  }
}

const idsOf = (received: readonly Received[]): Set<string> =>
  new Set(received.map(({ sensorId }) => sensorId))
const timesOf = ({ objects }: Received): number[] => objects.map(({ time }) => parseTime(time) ?? NaN)

suite('the virtual city on a real broker', () => {
  test('sends a current reading of every sensor but the silent ones at once', async () => {
    const broker = await startBroker()
    const virtualCity = createVirtualCity(optionsFor(broker))
    const startedAtMs = Date.now()
    await virtualCity.start()
    const silent = sensors.length - idsOf(broker.received).size
    assert.ok(silent >= 2 && silent <= 3, `${silent} sensors are silent`)
    for (const message of broker.received) {
      assert.equal(message.channel, 'telemetry')
      assert.ok(timesOf(message).every((timeMs) => Math.abs(timeMs - startedAtMs) < MINUTE_MS))
    }
    await virtualCity.stop()
    await broker.stop()
  })

  test('lives on: changes and signs of life follow by themselves', async () => {
    const broker = await startBroker()
    const virtualCity = createVirtualCity(optionsFor(broker, { speed: 600 }))
    await virtualCity.start()
    const first = broker.received.length
    await broker.until((received) => received.length > first + 200)
    const bays = broker.received.filter(({ kind }) => kind === 'parking')
    const changed = bays.some(({ sensorId, objects }) =>
      bays.some((other) => other.sensorId === sensorId && other.objects[0]?.status !== objects[0]?.status),
    )
    assert.ok(changed, 'a bay has changed')
    await virtualCity.stop()
    await broker.stop()
  })

  test('fills in the last day in batches that no limit refuses', async () => {
    const broker = await startBroker()
    const virtualCity = createVirtualCity(optionsFor(broker, { backfillMs: DAY_MS }))
    const nowMs = Date.now()
    await virtualCity.start()
    const lastBay = sensors.filter(({ kind }) => kind === 'parking').at(-1)?.id
    await broker.until((received) =>
      received.some(({ sensorId, isBatch }) => isBatch && sensorId === lastBay),
    )
    const carPark = broker.received.filter(
      ({ kind, sensorId }) => kind === 'carpark' && sensorId.endsWith('1'),
    )
    const times = carPark.filter(({ isBatch }) => isBatch).flatMap(timesOf)
    assert.equal(times.length, DAY_MS / (5 * MINUTE_MS))
    assert.ok(Math.min(...times) > nowMs - DAY_MS - MINUTE_MS && Math.max(...times) <= Date.now())
    assert.ok(broker.received.every(({ objects }) => objects.length <= 200))
    await virtualCity.stop()
    await broker.stop()
  })

  for (const isComplete of [true, false]) {
    const what = isComplete
      ? 'fills only the gap when the box has the rest'
      : 'sends the past whole when that was broken off'
    test(what, async () => {
      const broker = await startBroker()
      const nowMs = Date.now()
      const features = sensors.map(({ id }) => ({ id, properties: { time: toIsoTime(nowMs - HOUR_MS) } }))
      const api = createServer((request, response) => {
        const url = new URL(request.url ?? '', 'http://box')
        if (url.pathname.endsWith('/history')) {
          const fromMs = parseTime(url.searchParams.get('from')) ?? NaN
          const points = isComplete ? [{ time: toIsoTime(fromMs + SECOND_MS), value: 'free' }] : []
          response.end(JSON.stringify({ points }))
          return
        }
        const isSecond = url.searchParams.has('cursor')
        const page = isSecond
          ? { features: features.slice(50), next: null }
          : { features: features.slice(0, 50), next: 'next' }
        response.end(JSON.stringify({ type: 'FeatureCollection', ...page }))
      })
      api.listen(0, '127.0.0.1')
      await once(api, 'listening')
      const apiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
      const virtualCity = createVirtualCity(optionsFor(broker, { backfillMs: DAY_MS, apiUrl }))
      await virtualCity.start()
      const lastBay = sensors.filter(({ kind }) => kind === 'parking').at(-1)?.id
      await broker.until((received) =>
        received.some(({ sensorId, isBatch }) => isBatch && sensorId === lastBay),
      )
      const oldestMs = Math.min(...broker.received.flatMap(timesOf))
      assert.equal(oldestMs > nowMs - HOUR_MS - MINUTE_MS, isComplete, toIsoTime(oldestMs))
      await virtualCity.stop()
      api.close()
      await broker.stop()
    })
  }

  test('goes on after the connection was cut', async () => {
    const broker = await startBroker()
    const virtualCity = createVirtualCity(optionsFor(broker, { speed: 600 }))
    await virtualCity.start()
    broker.cut()
    const before = broker.received.length
    await broker.until((received) => received.length > before + 50)
    await virtualCity.stop()
    await broker.stop()
  })

  test('says so when the broker refuses the credential', async () => {
    const broker = await startBroker()
    const virtualCity = createVirtualCity(optionsFor(broker, { password: 'wrong' }))
    await assert.rejects(virtualCity.start(), { code: 'mqtt-refused' })
    await virtualCity.stop()
    await broker.stop()
  })

  test('stops within half a second, connected or not', async () => {
    const broker = await startBroker()
    const running = createVirtualCity(optionsFor(broker, { backfillMs: DAY_MS }))
    await running.start()
    const stoppedAt = performance.now()
    await running.stop()
    assert.ok(performance.now() - stoppedAt < SECOND_MS / 2)
    await broker.stop()

    const waiting = createVirtualCity(optionsFor(broker))
    const starting = waiting.start()
    const waitedAt = performance.now()
    await waiting.stop()
    await starting
    assert.ok(performance.now() - waitedAt < SECOND_MS / 2)
  })
})
