import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { waitFor } from '../../test/support/wait.ts'
import { skipWithout } from '../../test/support/programs.ts'
import { createFolder } from './support/city.ts'
import { startMosquitto } from './support/mosquitto.ts'
import { createMemoryJournal, openSource } from './support/source.ts'

const skip = skipWithout('mosquitto')
const UNBOUNDED = ['max_inflight_messages 0', 'max_queued_messages 0']

describe('a source on a real Mosquitto', { skip }, () => {
  test('keeps everything that is published, in order, under the credential of the source', async (context) => {
    const folder = await createFolder(context)
    const mosquitto = await startMosquitto(context, { folder, config: UNBOUNDED })
    const journal = createMemoryJournal()
    const { subscribed, source } = openSource(context, { url: mosquitto.url, folder, journal })
    await subscribed()
    const publisher = await mosquitto.publisher()
    const published = Array.from({ length: 500 }, (_, index) => JSON.stringify({ index }))
    await Promise.all(
      published.map((payload) => publisher.publishAsync('pulso/parking/bay/telemetry', payload, { qos: 1 })),
    )
    await waitFor(() => journal.kept.length >= 500, { what: 'all messages to be kept' })
    assert.deepEqual(
      journal.kept.map(({ payload }) => Buffer.from(payload).toString()),
      published,
    )
    assert.deepEqual(new Set(journal.kept.map(({ credential }) => credential)), new Set(['source/city']))
    await waitFor(() => source.status().inFlight === 0, { what: 'all to be acknowledged' })
    assert.equal(new Set(journal.kept.map(({ receivedAtMs }) => receivedAtMs)).size, 500)
  })
})
