import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { JournalMessage } from '@pulso/stores'
import { waitFor } from '../../test/support/wait.ts'
import { findProgram, skipWithout } from '../../test/support/programs.ts'
import { createFolder, startCity } from './support/city.ts'
import { startMosquitto } from '../../test/support/mosquitto.ts'
import { createMemoryJournal, openSource } from './support/source.ts'

const skip = skipWithout('mosquitto')
const TOPIC = 'pulso/parking/bay/telemetry'
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
    await Promise.all(published.map((payload) => publisher.publishAsync(TOPIC, payload, { qos: 1 })))
    await waitFor(() => journal.kept.length >= 500, { what: 'all messages to be kept' })
    assert.deepEqual(
      journal.kept.map(({ payload }) => Buffer.from(payload).toString()),
      published,
    )
    assert.deepEqual(new Set(journal.kept.map(({ credential }) => credential)), new Set(['source/city']))
    await waitFor(() => source.status().inFlight === 0, { what: 'all to be acknowledged' })
    assert.equal(new Set(journal.kept.map(({ receivedAtMs }) => receivedAtMs)).size, 500)
  })

  test('has many messages in flight while the disk is slow', async (context) => {
    const folder = await createFolder(context)
    const mosquitto = await startMosquitto(context, { folder, config: UNBOUNDED })
    let mostInFlight = 0
    const journal = createMemoryJournal(async () => {
      await delay(50)
      mostInFlight = Math.max(mostInFlight, journal.asked.length - journal.kept.length)
    })
    const { subscribed } = openSource(context, { url: mosquitto.url, folder, journal })
    await subscribed()
    const publisher = await mosquitto.publisher()
    const publish = async (index: number): Promise<unknown> =>
      publisher.publishAsync(TOPIC, `{"n":${index}}`, { qos: 1 })
    await Promise.all(Array.from({ length: 3_000 }, (_, index) => publish(index)))
    await waitFor(() => journal.kept.length >= 3_000, { what: 'all messages to be kept' })
    assert.ok(mostInFlight >= 300, `at most ${mostInFlight} in flight`)
  })

  test('comes back and subscribes again when the broker is killed, and keeps all from then on', async (context) => {
    const folder = await createFolder(context)
    const mosquitto = await startMosquitto(context, { folder, config: UNBOUNDED })
    const journal = createMemoryJournal()
    const opened = openSource(context, { url: mosquitto.url, folder, journal })
    await opened.subscribed()
    const contents = (): Set<string> =>
      new Set(journal.kept.map(({ payload }) => Buffer.from(payload).toString()))

    for (let round = 0; round < 3; round++) {
      const publisher = await mosquitto.publisher({ reconnectPeriod: 0 })
      const load = Array.from({ length: 2_000 }, (_, index) =>
        publisher.publishAsync(TOPIC, `{"round":${round},"n":${index}}`, { qos: 1 }).catch(() => undefined),
      )
      await waitFor(() => journal.kept.length > round * 10, { what: 'messages to flow', everyMs: 1 })
      await mosquitto.kill()
      void publisher.end(true)
      await Promise.race([Promise.all(load), delay(20)])
      await waitFor(() => opened.source.status().state !== 'connected', { what: 'the loss to be noticed' })
      await mosquitto.start()
      await opened.subscribed()

      const after = await mosquitto.publisher()
      const payloads = Array.from({ length: 300 }, (_, index) => `{"after":${round},"n":${index}}`)
      await Promise.all(payloads.map((payload) => after.publishAsync(TOPIC, payload, { qos: 1 })))
      await waitFor(() => payloads.every((payload) => contents().has(payload)), {
        what: 'all that was published after the restart',
      })
    }
    assert.ok((await opened.count('pulso_source_reconnects_total')) >= 3)
  })

  test('gets what a broker still holds for it after being killed, once', async (context) => {
    const folder = await createFolder(context)
    const mosquitto = await startMosquitto(context, { folder, config: UNBOUNDED })
    const opened = Promise.withResolvers<undefined>()
    let isOpen = false
    const journal = createMemoryJournal(() => (isOpen ? Promise.resolve() : opened.promise))
    const source = openSource(context, { url: mosquitto.url, folder, journal })
    await source.subscribed()
    const publisher = await mosquitto.publisher({ reconnectPeriod: 0 })
    const payloads = Array.from({ length: 50 }, (_, index) => `{"n":${index}}`)
    await Promise.all(payloads.map((payload) => publisher.publishAsync(TOPIC, payload, { qos: 1 })))
    await waitFor(() => journal.asked.length === 50, { what: 'all to be with the journal' })
    // Delivered, not acknowledged: that is what it writes down and has again after the kill.
    mosquitto.save()
    await waitFor(async () => (await stat(join(folder, 'mosquitto.db'))).size > 0, { what: 'the file' })
    await mosquitto.kill()
    await mosquitto.start()
    isOpen = true
    opened.resolve(undefined)
    await source.subscribed()
    await waitFor(() => journal.kept.length >= 50 && source.source.status().inFlight === 0, { what: 'all' })
    await waitFor(async () => (await source.count('pulso_source_repeated_total')) === 50, {
      what: 'all to have come again',
    })
    assert.equal(journal.kept.length, 50)
  })

  test('is let in with the right password alone', async (context) => {
    const folder = await createFolder(context)
    const passwords = join(folder, 'passwords')
    const program = findProgram('mosquitto_passwd') ?? 'mosquitto_passwd'
    await promisify(execFile)(program, ['-c', '-b', passwords, 'city', 'right'])
    const config = ['allow_anonymous false', `password_file ${passwords}`]
    const mosquitto = await startMosquitto(context, { folder, config })
    const options = { url: mosquitto.url, folder, journal: createMemoryJournal(), username: 'city' }
    const wrong = openSource(context, { ...options, password: 'wrong' })
    await waitFor(() => wrong.source.status().problem?.code === 'source-not-authorised', {
      what: 'the refusal',
    })
    await wrong.source.stop()
    const right = openSource(context, { ...options, password: 'right' })
    await right.connected()
  })

  test(
    'speaks TLS, and only with a broker whose authority it knows',
    { skip: skipWithout('openssl') },
    async (context) => {
      const folder = await createFolder(context)
      const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
      const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
      await promisify(execFile)('openssl', [
        ...['req', '-x509', ...newKey, '-keyout', key, '-out', certificate, '-days', '2'],
        ...subject,
      ])
      const config = [`certfile ${certificate}`, `keyfile ${key}`]
      const mosquitto = await startMosquitto(context, { folder, config })
      const url = `mqtts://127.0.0.1:${mosquitto.port}`
      const journal = createMemoryJournal()
      const stranger = openSource(context, { url, folder, journal })
      await waitFor(() => (stranger.source.status().problem?.message ?? '').includes('"ca"'), {
        what: 'the refusal',
      })
      await stranger.source.stop()
      const ca = await readFile(certificate, 'utf8')
      const friend = openSource(context, { url, folder, journal, tls: { ca, cert: null, key: null } })
      await friend.subscribed()
    },
  )
})

describe('a source, the journal and ingest together', { skip }, () => {
  test('store each reading once although the source dies between commit and acknowledgement', async (context) => {
    const folder = await createFolder(context)
    const mosquitto = await startMosquitto(context, { folder, config: UNBOUNDED })
    const city = await startCity(context, { folder })
    // The commit is made; the process does not live to hear of it.
    const deaf = {
      ...city.writer,
      async append(message: JournalMessage) {
        await city.writer.append(message)
        await new Promise<void>(() => undefined)
      },
    }
    const before = openSource(context, { url: mosquitto.url, folder, journal: deaf })
    await before.subscribed()
    const publisher = await mosquitto.publisher()
    for (let index = 0; index < 20; index++) {
      await publisher.publishAsync(TOPIC, '{"status":"free"}', { qos: 1 })
    }
    const stored = (): Promise<number> => city.count('pulso_readings_stored_total')
    await waitFor(async () => (await stored()) === 20, { what: 'the readings to be stored' })

    // The broker throws the first one out: they have one client id.
    const after = openSource(context, { url: mosquitto.url, folder, journal: city.writer })
    await waitFor(async () => (await city.count('pulso_readings_duplicate_total')) >= 20, {
      what: 'all to have come again',
    })
    await before.source.stop()
    await after.connected()
    assert.equal(await stored(), 20)
    assert.equal((await city.points('parking', 'bay', 'status')).length, 20)
  })
})
