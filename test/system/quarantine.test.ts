import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { QuarantineView } from '@pulso/model'
import { readMetric, signIn, waitForValues } from '../support/api.ts'
import { addDevice, runPulso, startBox, withBox, withFolder, type BoxSetup } from '../support/box.ts'
import { connectDevice } from '../support/mqtt.ts'
import { waitFor } from '../support/wait.ts'

const LOT = 'pulso/carpark/garage-1/telemetry'
const DAY_MS = 86_400_000

interface Listing {
  page: { entries: QuarantineView[] }
  totals: { totals: { reason: string; sensor: string; count: number }[]; entries: number }
}

/** `pulso quarantine …`, which must go well. */
async function quarantine<T>(box: BoxSetup, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await runPulso(['quarantine', ...args, '--json'], box)
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as T
}

describe('the quarantine', () => {
  it('gives back, after a fix, what could not be stored: once', async () => {
    await withBox({}, async (box) => {
      const client = await connectDevice(box, await addDevice(box, ['garage-1', '--kind', 'carpark']))
      const publish = (payload: string) => client.publishAsync(LOT, payload, { qos: 1 })
      const operator = await signIn(box)
      await publish('{"totalSpotNumber":140}')
      for (const payload of ['{"availableSpotNumber":150}', '{"availableSpotNumber":999}', '{"broken'])
        await publish(payload)
      await waitFor(async () => (await operator.quarantine()).length === 3, { what: 'three kept aside' })

      const { page, totals } = await quarantine<Listing>(box, 'list')
      assert.deepEqual(
        totals.totals.map(({ reason, sensor, count }) => [reason, sensor, count]),
        [
          ['invalid-json', 'garage-1', 1],
          ['over-capacity', 'garage-1', 2],
        ],
      )
      const first = page.entries.at(-1)
      assert.ok(first)
      const shown = await runPulso(['quarantine', 'show', String(first.id)], box)
      assert.match(shown.stdout, /over-capacity[^]*\{"availableSpotNumber":150\}/)

      // The fix: the garage has been extended.
      await publish('{"totalSpotNumber":300}')
      await waitForValues(box, 'garage-1', { totalSpotNumber: 300 })
      const stored = await readMetric(box, 'pulso_readings_stored_total')
      const replayed = await quarantine(box, 'replay', '--sensor', 'garage-1')
      assert.deepEqual(replayed, { replayed: 3, messages: 3, refused: 2, settled: true })
      await waitForValues(box, 'garage-1', { totalSpotNumber: 300, availableSpotNumber: 150 })
      assert.equal(await readMetric(box, 'pulso_readings_stored_total'), stored + 1)
      assert.equal(await readMetric(box, 'pulso_messages_quarantined_total'), 3)

      const again = await quarantine(box, 'replay')
      assert.deepEqual(again, { replayed: 2, messages: 2, refused: 2, settled: true })
      assert.equal(await readMetric(box, 'pulso_readings_stored_total'), stored + 1)
      assert.deepEqual(await quarantine(box, 'purge', '--reason', 'invalid-json'), { removed: 1 })
      assert.deepEqual(
        (await operator.quarantine()).map(({ reason, payload }) => [reason, payload]),
        [['over-capacity', '{"availableSpotNumber":999}']],
      )
      client.end(true)
    })
  })

  it('is looked at and deleted while the box is stopped, and replayed after a setting was changed', async () => {
    await withFolder(async (dataDir) => {
      const refusing = { dataDir }
      const first = await startBox(refusing)
      const client = await connectDevice(first, await addDevice(first, ['air-1', '--kind', 'environment']))
      const time = Date.now() - 30 * DAY_MS
      await client.publishAsync('pulso/environment/air-1/telemetry', JSON.stringify({ time, pm25: 21 }), {
        qos: 1,
      })
      await client.publishAsync('pulso/environment/air-1/telemetry', 'nonsense', { qos: 1 })
      await waitFor(async () => (await readMetric(first, 'pulso_messages_quarantined_total')) === 2, {
        what: 'two kept aside',
      })
      client.end(true)
      await first.stop()

      assert.equal((await quarantine<Listing>(refusing, 'list')).totals.entries, 2)
      const refused = await runPulso(['quarantine', 'replay'], refusing)
      assert.deepEqual([refused.code, refused.stderr.includes('start it')], [2, true])
      const unclear = await runPulso(['quarantine', 'purge'], refusing)
      assert.deepEqual([unclear.code === 0, unclear.stderr.includes('--all')], [false, true])
      assert.deepEqual(await quarantine(refusing, 'purge', '--older-than', '1h'), { removed: 0 })
      assert.deepEqual(await quarantine(refusing, 'purge', '--reason', 'invalid-json'), { removed: 1 })

      const patient = { dataDir, env: { PULSO_CLOCK_PAST: '60d' } }
      const second = await startBox(patient)
      try {
        const replayed = await quarantine(patient, 'replay', '--reason', 'clock')
        assert.deepEqual(replayed, { replayed: 1, messages: 1, refused: 0, settled: true })
        assert.equal(await readMetric(second, 'pulso_readings_stored_total'), 1)
        assert.equal((await quarantine<Listing>(patient, 'list')).totals.entries, 0)
      } finally {
        await second.stop()
      }
    })
  })
})
