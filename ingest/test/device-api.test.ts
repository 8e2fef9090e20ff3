import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { toDeviceApiTopic } from '@pulso/model'
import { startCity, type City } from './support/city.ts'

const TOPIC = toDeviceApiTopic('air-1')
const NOW_MS = Date.now()

async function startWithStation(context: TestContext): Promise<City> {
  const city = await startCity(context)
  const about = { name: null, position: null, attributes: {}, createdAtMs: 0 }
  await city.registry.putSensors([{ id: 'air-1', kind: 'environment', ...about }])
  return city
}

async function valuesOf(city: City): Promise<Record<string, unknown>> {
  const state = await city.state('air-1')
  return Object.fromEntries(Object.entries(state?.values ?? {}).map(([name, { value }]) => [name, value]))
}

describe('ThingsBoard’s device API', () => {
  it('takes values with their time, without one, and lists of either', async (context) => {
    const city = await startWithStation(context)
    await city.put(TOPIC, { ts: NOW_MS - 3_000, values: { temperature: 15 } })
    await city.put(TOPIC, [
      { ts: NOW_MS - 2_000, values: { temperature: 16 } },
      { ts: NOW_MS - 1_000, values: { temperature: 17 } },
      { LAeq: 50 },
    ])
    assert.deepEqual(await city.points('environment', 'air-1', 'temperature'), [
      [NOW_MS - 3_000, 15],
      [NOW_MS - 2_000, 16],
      [NOW_MS - 1_000, 17],
    ])
    assert.equal((await valuesOf(city)).LAeq, 50)
    assert.deepEqual(await city.quarantine(), [])
  })

  it('understands a few names of other platforms and numbers written as text, and counts the rest', async (context) => {
    const city = await startWithStation(context)
    await city.put(TOPIC, { temperature: '21.5', humidity: 40, battery: 90, pm2_5: 7, firmware: '1.2' })
    assert.deepEqual(await valuesOf(city), {
      temperature: 21.5,
      relativeHumidity: 0.4,
      batteryLevel: 0.9,
      pm25: 7,
    })
    assert.equal(await city.count('pulso_metrics_unknown_total'), 1)
  })

  it('lets our own names win', async (context) => {
    const city = await startWithStation(context)
    await city.put(TOPIC, { relativeHumidity: 0.5, humidity: 99 })
    assert.deepEqual(await valuesOf(city), { relativeHumidity: 0.5 })
  })

  it('says free or occupied for a bay', async (context) => {
    const city = await startCity(context)
    await city.put('pulso/parking/bay-1/telemetry', { status: 'free' })
    await city.put(toDeviceApiTopic('bay-1'), { occupied: true })
    assert.equal((await city.state('bay-1'))?.values.status?.value, 'occupied')
  })

  it('sets aside what no known sensor sent, what is no object, and a wrong time', async (context) => {
    const city = await startWithStation(context)
    await city.send(toDeviceApiTopic('nobody'), { temperature: 1 })
    await city.send(TOPIC, '"hot"')
    await city.send(TOPIC, { ts: NOW_MS, values: [1] })
    await city.send(TOPIC, [{ temperature: 20 }, 5, { ts: 'yesterday', values: { LAeq: 50 } }])
    await city.settled()
    const entries = await city.quarantine()
    assert.deepEqual(
      entries.map(({ reason }) => reason),
      ['unknown-sensor', 'invalid-payload', 'invalid-payload', 'invalid-payload', 'invalid-time'],
    )
    // As it would be sent alone.
    assert.equal(Buffer.from(entries[4]?.payload ?? []).toString(), '{"ts":"yesterday","values":{"LAeq":50}}')
    assert.deepEqual(await valuesOf(city), { temperature: 20 })
  })
})
