import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { waitFor } from '../../test/support/wait.ts'
import type { SourceStatus } from '../src/index.ts'
import { createFolder } from './support/city.ts'
import { startFakeBroker, toPublish } from './support/fake-broker.ts'
import { createMemoryJournal, openSource, type TestSource } from './support/source.ts'

const problemOf = async ({ source }: TestSource, code: string): Promise<SourceStatus> =>
  waitFor(
    () => {
      const status = source.status()
      return status.problem?.code === code && status
    },
    { what: `the problem ${code}`, everyMs: 2 },
  )

describe('a source and a broker that does not behave', () => {
  test('says what the broker has against it, and goes on trying', async (context) => {
    const broker = await startFakeBroker(context)
    const options = { url: broker.url, folder: await createFolder(context), journal: createMemoryJournal() }
    const opened = openSource(context, { ...options, username: 'city', password: 'top-secret' })
    const refusals: [number, string][] = [
      [1, 'source-protocol'],
      [2, 'source-client-id'],
      [3, 'source-unavailable'],
      [4, 'source-credentials'],
      [5, 'source-not-authorised'],
    ]
    for (const [returnCode, code] of refusals) {
      const next = await broker.connection()
      const { username, password } = await next.next('connect')
      assert.deepEqual([username, password?.toString()], ['city', 'top-secret'])
      next.send({ cmd: 'connack', returnCode, sessionPresent: false })
      await problemOf(opened, code)
    }
    await broker.session()
    await opened.connected()
    assert.equal(opened.source.status().problem, null)
    assert.ok(!JSON.stringify(opened.logged).includes('top-secret'))
    assert.equal(await opened.count('pulso_source_reconnects_total'), refusals.length)
  })

  test('says that nothing listens, or that there is no such host', async (context) => {
    const folder = await createFolder(context)
    const journal = createMemoryJournal()
    const nothing = openSource(context, { url: 'mqtt://127.0.0.1:1', folder, journal })
    assert.match((await problemOf(nothing, 'source-unreachable')).problem?.message ?? '', /Nothing listens/)
    const nowhere = openSource(context, { name: 'b', url: 'mqtt://broker.invalid', folder, journal })
    assert.match((await problemOf(nowhere, 'source-unreachable')).problem?.message ?? '', /host/)
  })

  test('gives up on a broker that says nothing, before and after the CONNACK', async (context) => {
    const broker = await startFakeBroker(context)
    const options = { url: broker.url, folder: await createFolder(context), journal: createMemoryJournal() }
    const limits = { connectMs: 50, answerMs: 50, keepaliveMs: 20 }
    const opened = openSource(context, { ...options, limits })
    const mute = await broker.connection()
    await problemOf(opened, 'source-timeout')
    await mute.closed()
    const session = await broker.session()
    await session.next('pingreq')
    await problemOf(opened, 'source-silent')
    await session.closed()
  })

  test('drops a connection on which something else than MQTT comes', async (context) => {
    const broker = await startFakeBroker(context)
    const journal = createMemoryJournal()
    const opened = openSource(context, { url: broker.url, folder: await createFolder(context), journal })
    const garbage = [
      Buffer.from(`HTTP/1.1 400 Bad Request\r\n${'Server: something\r\n'.repeat(10)}\r\n`),
      Buffer.of(0x20, 0xff, 0xff, 0xff, 0xff, 0xff),
      Buffer.concat([Buffer.of(0x20, 0xff, 0xff, 0x7f), Buffer.alloc(1_000)]),
      Buffer.of(0x30, 4, 0, 1, 0x61, 0x62),
    ]
    for (const bytes of garbage) {
      const next = await broker.connection()
      await next.next('connect')
      next.socket.write(bytes)
      await next.closed()
      await problemOf(opened, 'source-garbage')
    }
    await broker.session()
    await opened.connected()
    assert.equal(journal.asked.length, 0)
  })

  test('keeps the beginning of a message that is too large, and what comes behind it whole', async (context) => {
    const broker = await startFakeBroker(context)
    const journal = createMemoryJournal()
    const opened = openSource(context, {
      url: broker.url,
      folder: await createFolder(context),
      journal,
      limits: { payloadBytes: 1_000, cutPayloadBytes: 10 },
    })
    const session = await broker.session()
    session.publish({ id: 1, payload: Buffer.alloc(20 * 1024 * 1024, 'x') })
    session.publish({ id: 2, payload: Buffer.alloc(1_100, 'y') })
    session.publish({ id: 3, topic: `pulso/${'z'.repeat(2_000)}`, payload: '{}' })
    session.publish({ id: 4, payload: '{"status":"free"}' })
    for (const id of [1, 2, 3, 4]) assert.equal((await session.next('puback')).messageId, id)
    assert.deepEqual(
      journal.kept.map(({ topic, payload }) => [topic.length, Buffer.from(payload).toString()]),
      [
        [27, 'x'.repeat(10)],
        [27, 'y'.repeat(10)],
        [512, '{}'],
        [27, '{"status":"free"}'],
      ],
    )
    assert.equal(opened.logged.filter(({ reason }) => reason === 'payload-too-large').length, 2)
  })

  test('reports a topic that the broker refuses, and asks for it again', async (context) => {
    const broker = await startFakeBroker(context)
    const opened = openSource(context, {
      url: broker.url,
      folder: await createFolder(context),
      journal: createMemoryJournal(),
      topics: ['a/#', 'b/#'],
      limits: { refusedTopicsMs: 20 },
    })
    const session = await broker.connection()
    await session.next('connect')
    session.send({ cmd: 'connack', returnCode: 0, sessionPresent: false })
    const { messageId } = await session.next('subscribe')
    session.send({ cmd: 'suback', messageId: messageId ?? 0, granted: [0, 0x80] })
    const { problem, topics } = await problemOf(opened, 'source-topics-refused')
    assert.match(problem?.message ?? '', /b\/#/)
    assert.deepEqual(topics, [
      { topic: 'a/#', state: 'granted', qos: 0 },
      { topic: 'b/#', state: 'refused', qos: null },
    ])
    assert.equal(await opened.count('pulso_source_topics_refused'), 1)
    assert.ok(opened.logged.some(({ topic }) => topic === 'b/#'))

    const again = await session.next('subscribe')
    assert.deepEqual(
      again.subscriptions.map(({ topic }) => topic),
      ['b/#'],
    )
    session.send({ cmd: 'suback', messageId: again.messageId ?? 0, granted: [1] })
    await waitFor(() => opened.source.status().problem === null, { what: 'the problem to be over' })
  })
})

describe('a source and its session', () => {
  test('lets go of topics that are not on its list any more, also after a restart', async (context) => {
    const broker = await startFakeBroker(context)
    const folder = await createFolder(context)
    const journal = createMemoryJournal()
    const before = openSource(context, { url: broker.url, folder, journal, topics: ['a/#', 'b/#'] })
    await broker.session()
    await before.connected()
    await before.source.stop()

    openSource(context, { url: broker.url, folder, journal, topics: ['b/#', 'c/#'] })
    const session = await broker.connection()
    const { clean, clientId } = await session.next('connect')
    assert.deepEqual([clean, clientId], [false, 'pulso-test'])
    session.send({ cmd: 'connack', returnCode: 0, sessionPresent: true })
    const { unsubscriptions } = await session.next('unsubscribe')
    assert.deepEqual(unsubscriptions, ['a/#'])
    const { subscriptions } = await session.next('subscribe')
    assert.deepEqual(
      subscriptions.map(({ topic }) => topic),
      ['b/#', 'c/#'],
    )
  })

  test('reads no further while the journal has enough in flight, stays alive, and goes on after', async (context) => {
    const broker = await startFakeBroker(context)
    const opened = Promise.withResolvers<undefined>()
    const journal = createMemoryJournal(() => opened.promise)
    const { source } = openSource(context, {
      url: broker.url,
      folder: await createFolder(context),
      journal,
      limits: { inFlightBytes: 100_000, keepaliveMs: 40, answerMs: 500 },
    })
    const session = await broker.session()
    const total = 20_000
    for (let id = 1; id <= total; id++) session.publish({ id, payload: 'x'.repeat(1_000) })
    await waitFor(() => source.status().inFlight > 60, { what: 'the source to be full' })
    // Long enough for a silent source, and for a source that holds the broker's silence against it.
    for (let ping = 0; ping < 40; ping++) await session.next('pingreq')
    assert.ok(source.status().inFlight < 500, `${source.status().inFlight} in flight`)
    assert.equal(source.status().state, 'connected')
    assert.ok(session.socket.writableLength > 10_000_000)
    opened.resolve(undefined)
    for (let id = 1; id <= total; id++) assert.equal((await session.next('puback')).messageId, id)
  })

  test('acknowledges what the journal still keeps when it is stopped, and says goodbye', async (context) => {
    const broker = await startFakeBroker(context)
    const opened = Promise.withResolvers<undefined>()
    const journal = createMemoryJournal(() => opened.promise)
    const { source } = openSource(context, { url: broker.url, folder: await createFolder(context), journal })
    const session = await broker.session()
    session.send(toPublish({ id: 5 }))
    await waitFor(() => journal.asked.length === 1, { what: 'the journal to be asked' })
    const stopping = source.stop()
    opened.resolve(undefined)
    assert.equal((await session.next('puback')).messageId, 5)
    await session.next('disconnect')
    session.socket.end()
    await stopping
    assert.equal(source.status().state, 'stopped')
  })
})
