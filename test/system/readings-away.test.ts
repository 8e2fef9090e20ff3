import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startInfluxd } from '../../stores/test/support/influxd.ts'
import type { HistoryView } from '@pulso/model'
import { getJson, readMetric, waitForValues } from '../support/api.ts'
import { addDevice, withBox } from '../support/box.ts'
import { connectDevice } from '../support/mqtt.ts'
import { skipDriver } from '../support/readings-drivers.ts'
import { waitFor } from '../support/wait.ts'

describe('a box whose InfluxDB is away', { skip: skipDriver('influxdb') }, () => {
  it('starts, acknowledges what the journal keeps, says that it is not ready, and catches up', async () => {
    const influxd = await startInfluxd()
    await influxd.kill()
    try {
      const env = { PULSO_READINGS: 'influxdb', PULSO_INFLUX_VERSION: '1', PULSO_INFLUX_URL: influxd.url }
      await withBox({ env }, async (box) => {
        const client = await connectDevice(box, await addDevice(box, ['air-1', '--kind', 'environment']))
        await client.publishAsync('pulso/environment/air-1/telemetry', '{"pm25":7}', { qos: 1 })
        const ready = await fetch(new URL('/health/ready', box.http))
        assert.equal(ready.status, 503)
        assert.match(await ready.text(), /"name":"readings"[^}]*"ok":false/)
        assert.ok((await readMetric(box, 'pulso_journal_depth')) > 0)

        await influxd.start()
        await waitForValues(box, 'air-1', { pm25: 7 })
        await waitFor(async () => (await fetch(new URL('/health/ready', box.http))).ok, {
          what: 'a ready box',
        })
        client.end(true)
      })
    } finally {
      await influxd.stop()
    }
  })

  it('holds its senders back when the journal is full, and stores everything once when it is there again', async () => {
    const influxd = await startInfluxd()
    const env = {
      PULSO_READINGS: 'influxdb',
      PULSO_INFLUX_VERSION: '1',
      PULSO_INFLUX_URL: influxd.url,
      PULSO_LIMIT_JOURNAL_BYTES: '100000',
    }
    try {
      await withBox({ env }, async (box) => {
        const gate = await addDevice(box, ['gate', '--gateway', 'city-'])
        const clients = await Promise.all(
          Array.from({ length: 4 }, (_, index) => connectDevice(box, gate, { clientId: `gate-${index}` })),
        )
        await influxd.kill()
        let acknowledged = 0
        const sent = Promise.all(
          Array.from({ length: MESSAGES }, async (_, index) => {
            await clients[index % clients.length]?.publishAsync(topicOf(index), payloadOf(index), { qos: 1 })
            acknowledged++
          }),
        )
        await waitFor(async () => (await readMetric(box, 'pulso_journal_full')) === 1, {
          what: 'a full journal',
        })
        const ready = await fetch(new URL('/health/ready', box.http))
        assert.equal(ready.status, 503)
        assert.match(await ready.text(), /"name":"journal"[^}]*"ok":false[^}]*"full":true/)
        await waitFor(() => box.log().includes('the journal is full, senders wait'), {
          what: 'a line in the log',
        })
        const depth = await readMetric(box, 'pulso_journal_depth')
        assert.ok(acknowledged <= depth, `${acknowledged} acknowledged, ${depth} kept`)
        assert.ok(depth < MESSAGES)

        await influxd.start()
        await sent
        await waitFor(async () => (await readMetric(box, 'pulso_journal_depth')) === 0, {
          what: 'an empty journal',
          timeoutMs: 60_000,
        })
        assert.equal(await readMetric(box, 'pulso_readings_stored_total'), MESSAGES)
        assert.equal(await readMetric(box, 'pulso_readings_duplicate_total'), 0)
        for (let sensor = 0; sensor < SENSORS; sensor++)
          assert.deepEqual(await storedOf(box, sensor), sentOf(sensor))
        assert.equal(await readMetric(box, 'pulso_journal_full'), 0)
        await waitFor(async () => (await fetch(new URL('/health/ready', box.http))).ok, {
          what: 'a ready box',
        })
        for (const client of clients) client.end(true)
      })
    } finally {
      await influxd.stop()
    }
  })
})

const MESSAGES = 6_000
const SENSORS = 20
const startMs = Date.now() - MESSAGES * 1_000

const topicOf = (index: number): string => `pulso/environment/city-${index % SENSORS}/telemetry`
const payloadOf = (index: number): string =>
  JSON.stringify({ time: startMs + index * 1_000, temperature: index / 1_000 })

const sentOf = (sensor: number): number[] =>
  Array.from({ length: MESSAGES / SENSORS }, (_, n) => (n * SENSORS + sensor) / 1_000)

async function storedOf(box: { http: string }, sensor: number): Promise<unknown[]> {
  const from = new Date(startMs).toISOString()
  const path = `/api/v1/sensors/city-${sensor}/history?metric=temperature&from=${from}`
  return (await getJson<HistoryView>(box, path)).points.map(({ value }) => value)
}
