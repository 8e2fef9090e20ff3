import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { HistoryView } from '@pulso/model'
import { getJson, readMetric } from '../support/api.ts'
import { runPulso, startBox, withFolder } from '../support/box.ts'
import { startMosquitto } from '../support/mosquitto.ts'
import { skipWithout } from '../support/programs.ts'
import { waitFor } from '../support/wait.ts'

const TOTAL = 4_000
const TOPIC = 'pulso/environment/air-7/telemetry'

describe('a city that runs its own broker', { skip: skipWithout('mosquitto') }, () => {
  it('has each reading once, also those without a time, when the box is killed under load', async (context) => {
    await withFolder(async (folder) => {
      const config = ['max_inflight_messages 0', 'max_queued_messages 0']
      const mosquitto = await startMosquitto(context, { folder, config })
      const file = join(folder, 'sources.json')
      const source = { name: 'hall', url: mosquitto.url, topics: ['pulso/+/+/telemetry'] }
      await writeFile(file, JSON.stringify([source]))
      const setup = { dataDir: join(folder, 'data'), env: { PULSO_SOURCES: file } }

      const first = await startBox(setup)
      await waitFor(async () => /hall .* connected/.test((await runPulso(['status'], setup)).stdout), {
        what: 'the source to be connected',
      })
      assert.equal(await readMetric(first, 'pulso_source_connected', 'source="hall"'), 1)
      const publisher = await mosquitto.publisher()
      const publishAll = async (): Promise<void> => {
        for (let from = 0; from < TOTAL; from += 20) {
          const batch = Array.from({ length: 20 }, (_, index) => ({ temperature: (from + index) / 100 }))
          const payloads = batch.map((reading) => JSON.stringify(reading))
          await Promise.all(payloads.map((payload) => publisher.publishAsync(TOPIC, payload, { qos: 1 })))
        }
      }
      const published = publishAll()
      await waitFor(async () => (await readMetric(first, 'pulso_source_messages_total')) > 100, {
        what: 'messages to flow',
        everyMs: 1,
      })
      await first.stop('SIGKILL')
      await published

      const second = await startBox(setup)
      try {
        const temperatures = async (): Promise<number[]> => {
          const from = new Date(Date.now() - 3_600_000).toISOString()
          const path = `/api/v1/sensors/air-7/history?metric=temperature&from=${from}`
          const { points } = await getJson<HistoryView>(second, path)
          return points.map(({ value }) => Number(value)).toSorted((one, other) => one - other)
        }
        await waitFor(async () => (await temperatures()).length >= TOTAL, { what: 'all to be stored' })
        await waitFor(async () => (await readMetric(second, 'pulso_journal_depth')) === 0, {
          what: 'an empty journal',
        })
        assert.deepEqual(
          await temperatures(),
          Array.from({ length: TOTAL }, (_, index) => index / 100),
        )
      } finally {
        await second.stop()
      }
    })
  })
})
