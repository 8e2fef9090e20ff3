import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startInfluxd } from '../../stores/test/support/influxd.ts'
import { readMetric, waitForValues } from '../support/api.ts'
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
})
