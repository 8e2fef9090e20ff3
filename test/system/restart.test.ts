import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { getJson, readMetric, waitForValues } from '../support/api.ts'
import { addDevice, startBox, withFolder } from '../support/box.ts'
import { connectDevice } from '../support/mqtt.ts'
import { READINGS_DRIVERS, skipDriver, withReadings } from '../support/readings-drivers.ts'
import type { HistoryView } from '@pulso/model'
import { waitFor } from '../support/wait.ts'

const topic = 'pulso/environment/air-1/telemetry'

for (const driver of READINGS_DRIVERS) {
  describe(`a restart, with ${driver}`, { skip: skipDriver(driver) }, () => {
    for (const [signal, wanted] of [
      ['SIGINT', 0],
      ['SIGKILL', null],
    ] as const) {
      it(`after ${signal} loses nothing that was acknowledged, and goes on`, async () => {
        await withReadings(driver, (env) =>
          withFolder(async (dataDir) => {
            const first = await startBox({ dataDir, env })
            const secret = await addDevice(first, [
              'air-1',
              '--kind',
              'environment',
              '--lat',
              '43.4623',
              '--lon',
              '-3.81',
            ])
            const client = await connectDevice(first, secret)
            client.on('error', () => undefined)
            const startMs = Date.now() - 500_000
            const payload = (index: number) =>
              JSON.stringify({ time: startMs + index * 1_000, temperature: index / 10 })
            // Killed with the acknowledgements barely out: most of it is in the journal alone.
            await Promise.all(
              Array.from({ length: 500 }, (_, index) =>
                client.publishAsync(topic, payload(index), { qos: 1 }),
              ),
            )
            const { code, elapsedMs } = await first.stop(signal)
            assert.equal(code, wanted, first.log())
            assert.ok(elapsedMs < 2_000, `took ${elapsedMs} ms to stop`)
            client.end(true)

            const second = await startBox({ dataDir, env })
            try {
              await waitForValues(second, 'air-1', { temperature: 49.9 })
              await waitFor(async () => (await readMetric(second, 'pulso_journal_depth')) === 0, {
                what: 'an empty journal',
              })
              const from = new Date(startMs).toISOString()
              const { points } = await getJson<HistoryView>(
                second,
                `/api/v1/sensors/air-1/history?metric=temperature&from=${from}`,
              )
              assert.deepEqual(
                points.map(({ value }) => value),
                Array.from({ length: 500 }, (_, index) => index / 10),
              )

              assert.equal(second.operator, null, 'the operator’s password is shown by the first start alone')
              const again = await connectDevice(second, secret)
              await again.publishAsync(topic, '{"temperature":-3}', { qos: 1 })
              await waitForValues(second, 'air-1', { temperature: -3 })
              again.end(true)
            } finally {
              await second.stop()
            }
          }),
        )
      })
    }
  })
}
