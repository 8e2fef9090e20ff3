import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { AppError } from '@pulso/model'
import { waitFor } from '../../test/support/wait.ts'
import { createFolder } from './support/city.ts'
import { startFakeBroker, toPublish } from './support/fake-broker.ts'
import { createMemoryJournal, openSource } from './support/source.ts'
import type { Qos } from '../src/index.ts'

const FREE = '{"status":"free"}'

/** Commits that wait until `open` is called. */
function createGate(): { commit: () => Promise<void>; open: () => void } {
  const opened = Promise.withResolvers<undefined>()
  return { commit: () => opened.promise, open: () => opened.resolve(undefined) }
}

/** A source with a journal of its own, and its first session at a broker of ours. */
async function connect(context: TestContext, options: { commit?: () => Promise<void>; qos?: Qos } = {}) {
  const { commit, ...settings } = options
  const broker = await startFakeBroker(context)
  const journal = createMemoryJournal(commit)
  const folder = await createFolder(context)
  const opened = openSource(context, { url: broker.url, folder, journal, ...settings })
  const first = await broker.session()
  /** The connection breaks, and the source comes back. */
  const reconnect = (sessionPresent = true): Promise<typeof first> => {
    first.destroy()
    return broker.session({ sessionPresent })
  }
  return { ...opened, broker, journal, first, reconnect }
}

describe('an acknowledgement of a source', () => {
  test('leaves after the commit and in the order of the messages, with many in flight', async (context) => {
    const gate = createGate()
    const { journal, first: session } = await connect(context, { commit: gate.commit })
    const ids = Array.from({ length: 5_000 }, (_, index) => index + 1)
    session.send(...ids.map((id) => toPublish({ id, payload: `{"n":${id}}` })))
    await waitFor(() => journal.asked.length === ids.length, { what: 'all to be with the journal at once' })
    assert.equal(session.pending('puback').length, 0)
    gate.open()
    const acknowledged: number[] = []
    while (acknowledged.length < ids.length) {
      acknowledged.push((await session.next('puback')).messageId ?? 0)
    }
    assert.deepEqual(acknowledged, ids)
  })

  test('does not leave when the journal fails; what comes again is kept with the time it had', async (context) => {
    let isBroken = true
    const commit = (): Promise<void> =>
      isBroken ? Promise.reject(new AppError('journal-failed', 'No space left')) : Promise.resolve()
    const { source, broker, journal, first } = await connect(context, { commit })
    first.publish({ id: 7, payload: FREE })
    await first.closed()
    assert.equal(first.pending('puback').length, 0)
    assert.deepEqual(source.status().problem, { code: 'journal-failed', message: 'No space left' })

    isBroken = false
    const second = await broker.session({ sessionPresent: true })
    second.publish({ id: 7, payload: FREE, dup: true })
    assert.equal((await second.next('puback')).messageId, 7)
    const [failed, kept] = journal.asked
    assert.deepEqual(journal.kept, [kept])
    assert.equal(kept?.receivedAtMs, failed?.receivedAtMs)
  })

  test('that got lost is given again without keeping the message twice', async (context) => {
    const { count, journal, first, reconnect } = await connect(context)
    first.publish({ id: 7, payload: FREE })
    await first.next('puback')

    const second = await reconnect()
    second.publish({ id: 7, payload: FREE, dup: true })
    second.publish({ id: 8, payload: FREE })
    assert.equal((await second.next('puback')).messageId, 7)
    assert.equal((await second.next('puback')).messageId, 8)
    assert.equal(journal.kept.length, 2)
    assert.notEqual(journal.kept[0]?.receivedAtMs, journal.kept[1]?.receivedAtMs)
    assert.equal(await count('pulso_source_repeated_total'), 1)
  })

  test('of a message that is still with the journal waits for that one, over a reconnect', async (context) => {
    const gate = createGate()
    const { journal, first, reconnect } = await connect(context, { commit: gate.commit })
    first.publish({ id: 7, payload: FREE })
    await waitFor(() => journal.asked.length === 1, { what: 'the journal to be asked' })
    const second = await reconnect()
    second.publish({ id: 7, payload: FREE, dup: true })
    second.publish({ id: 8, payload: '{}' })
    await waitFor(() => journal.asked.length === 2, { what: 'the next message to be with the journal' })
    assert.equal(second.pending('puback').length, 0)
    gate.open()
    assert.equal((await second.next('puback')).messageId, 7)
    assert.equal((await second.next('puback')).messageId, 8)
    assert.equal(journal.kept.length, 2)
  })

  test('is not given for another message under a known packet id', async (context) => {
    const { journal, first, reconnect } = await connect(context)
    first.publish({ id: 7, payload: FREE })
    await first.next('puback')
    const second = await reconnect()
    second.publish({ id: 7, payload: '{"status":"occupied"}', dup: true })
    await second.next('puback')
    assert.equal(journal.kept.length, 2)
  })
})

describe('what a broker delivers again', () => {
  test('after our crash has the receive time it had, so that it is the same reading', async (context) => {
    const broker = await startFakeBroker(context)
    const folder = await createFolder(context)
    // The process ends between the journal's commit and the acknowledgement.
    const before = createMemoryJournal(() => new Promise<void>(() => undefined))
    openSource(context, { url: broker.url, folder, journal: before })
    const first = await broker.session()
    first.send(toPublish({ id: 7, payload: FREE }), toPublish({ id: 8, payload: FREE }))
    await waitFor(() => before.asked.length === 2, { what: 'both to be with the journal' })

    const after = createMemoryJournal()
    openSource(context, { url: broker.url, folder, journal: after })
    const second = await broker.session({ sessionPresent: true })
    second.send(
      toPublish({ id: 7, payload: FREE, dup: true }),
      toPublish({ id: 8, payload: FREE, dup: true }),
    )
    await second.next('puback')
    await second.next('puback')
    const times = (journal: typeof after): unknown[] => journal.asked.map(({ receivedAtMs }) => receivedAtMs)
    assert.deepEqual(times(after), times(before))
    assert.equal(new Set(times(after)).size, 2)
  })

  test('is new once the broker has confirmed our acknowledgement: ids are used again', async (context) => {
    const { journal, first, reconnect } = await connect(context)
    first.publish({ id: 7, payload: FREE })
    await first.next('puback')
    await first.next('pingreq')
    first.send({ cmd: 'pingresp' })
    // Something behind the answer, to know that it has been read.
    first.publish({ id: 8, payload: '{}' })
    await first.next('puback')
    const second = await reconnect()
    second.publish({ id: 7, payload: FREE, dup: true })
    await second.next('puback')
    assert.equal(journal.kept.length, 3)
  })

  test('of a session that the broker has forgotten is nothing: ids begin anew', async (context) => {
    const { count, journal, first, reconnect } = await connect(context)
    first.publish({ id: 1, payload: FREE })
    await first.next('puback')
    const second = await reconnect(false)
    second.publish({ id: 1, payload: FREE, dup: true })
    await second.next('puback')
    assert.equal(journal.kept.length, 2)
    assert.equal(await count('pulso_source_sessions_lost_total'), 1)
  })

  test('with QoS 2 is kept once, until PUBREL says that the broker knows', async (context) => {
    const { journal, first, reconnect } = await connect(context, { qos: 2 })
    first.publish({ id: 3, qos: 2, payload: FREE })
    await first.next('pubrec')
    const second = await reconnect()
    second.publish({ id: 3, qos: 2, payload: FREE, dup: true })
    assert.equal((await second.next('pubrec')).messageId, 3)
    assert.equal(journal.kept.length, 1)
    second.send({ cmd: 'pubrel', messageId: 3 })
    assert.equal((await second.next('pubcomp')).messageId, 3)
    second.publish({ id: 3, qos: 2, payload: FREE })
    await second.next('pubrec')
    assert.equal(journal.kept.length, 2)
  })

  test('as retained, after a SUBSCRIBE, is kept only when it is not what we had last', async (context) => {
    const { journal, first, reconnect } = await connect(context)
    first.publish({ id: 1, payload: FREE, retain: true })
    await first.next('puback')
    const second = await reconnect()
    second.publish({ id: 2, payload: FREE, retain: true })
    second.publish({ id: 3, payload: '{"status":"occupied"}', retain: true })
    assert.equal((await second.next('puback')).messageId, 2)
    assert.equal((await second.next('puback')).messageId, 3)
    assert.deepEqual(
      journal.kept.map(({ payload }) => Buffer.from(payload).toString()),
      [FREE, '{"status":"occupied"}'],
    )
  })
})
