import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AppError } from '@pulso/model'
import type { JournalWriter } from '@pulso/stores'
import { waitFor } from '../../test/support/wait.ts'
import { openDoor, SECRET, type Door } from './support/door.ts'
import { connectPacket, pingPacket, publishPacket, pubrelPacket, type Device } from './support/device.ts'

const TOPIC = 'pulso/parking/bay/telemetry'

/** A journal that keeps nothing before `open` is called. */
function createGate(): {
  wrap: (journal: JournalWriter) => JournalWriter
  open: () => void
  asked: () => number
} {
  const opened = Promise.withResolvers<undefined>()
  let asked = 0
  return {
    wrap: (journal) => ({
      ...journal,
      async append(message) {
        asked++
        await opened.promise
        await journal.append(message)
      },
    }),
    open: () => opened.resolve(undefined),
    asked: () => asked,
  }
}

async function connected(door: Door, fields: { clean?: boolean; clientId?: string } = {}): Promise<Device> {
  const device = await door.device()
  device.send(connectPacket({ username: 'bay', password: SECRET, ...fields }))
  assert.deepEqual([...(await device.next('connack'))], [0, 0])
  return device
}

describe('a PUBACK means kept', () => {
  test('neither PUBACK nor PUBREC comes before the journal has committed', async (context) => {
    const gate = createGate()
    const door = await openDoor(context, { wrapJournal: gate.wrap })
    const device = await connected(door)
    device.send(
      publishPacket({ topic: TOPIC, qos: 1, id: 1 }),
      publishPacket({ topic: TOPIC, qos: 2, id: 2 }),
    )
    device.send(pingPacket())
    // The answer to the ping says that the broker has been through both.
    await device.next('pingresp')
    await waitFor(() => gate.asked() === 2, { what: 'both messages to reach the journal' })
    assert.deepEqual([device.pending('puback'), device.pending('pubrec')], [0, 0])

    gate.open()
    assert.deepEqual([...(await device.next('puback'))], [0, 1])
    assert.deepEqual([...(await device.next('pubrec'))], [0, 2])
    const kept = await door.kept(2)
    assert.deepEqual(
      kept.map(({ topic, credential }) => [topic, credential]),
      [
        [TOPIC, 'bay'],
        [TOPIC, 'bay'],
      ],
    )
  })

  test('a commit that fails is not acknowledged: the client is disconnected and tries again', async (context) => {
    let isBroken = true
    const door = await openDoor(context, {
      wrapJournal: (journal) => ({
        ...journal,
        append: (message) =>
          isBroken
            ? Promise.reject(new AppError('journal-failed', 'No space left'))
            : journal.append(message),
      }),
    })
    const device = await connected(door)
    device.send(publishPacket({ topic: TOPIC, id: 7 }))
    await device.closed()
    assert.equal(device.pending('puback'), 0)
    assert.equal(await door.count('pulso_messages_refused_total{reason="journal-failed"}'), 1)
    assert.ok(door.logged.some(({ level, msg }) => level === 50 && String(msg).includes('journal')))

    isBroken = false
    const again = await connected(door)
    again.send(publishPacket({ topic: TOPIC, id: 7, dup: true }))
    await again.next('puback')
    assert.equal((await door.kept(1)).length, 1)
  })

  test('QoS 0, 1 and 2 are kept and counted apart', async (context) => {
    const door = await openDoor(context)
    const client = await door.client('bay')
    for (const qos of [0, 1, 2] as const) await client.publishAsync(TOPIC, `{"qos":${qos}}`, { qos })
    const kept = await door.kept(3)
    assert.deepEqual(
      kept.map(({ payload }) => Buffer.from(payload).toString()),
      ['{"qos":0}', '{"qos":1}', '{"qos":2}'],
    )
    for (const qos of [0, 1, 2]) {
      await waitFor(async () => (await door.count(`pulso_messages_accepted_total{qos="${qos}"}`)) === 1, {
        what: `the message of QoS ${qos} to be counted`,
      })
    }
    assert.ok((await door.count('pulso_publish_kept_seconds_count')) >= 1)
  })

  test('under its own topic, also when QoS 1 and QoS 2 take turns on two topics', async (context) => {
    const door = await openDoor(context)
    const client = await door.client('gate')
    const [one, two] = ['pulso/parking/gate-1/telemetry', 'pulso/parking/gate-2/telemetry']
    // The fast way for QoS 1 took the first topic's bytes for the one that the ordinary way had seen last.
    for (const [topic, qos] of [
      [one, 1],
      [two, 2],
      [one, 1],
      [two, 1],
    ] as const) {
      await client.publishAsync(topic, '{}', { qos })
    }
    assert.deepEqual(
      (await door.kept(4)).map(({ topic }) => topic),
      [one, two, one, two],
    )
  })

  test('an empty payload and a kind that nobody knows go to ingest, which says why', async (context) => {
    const door = await openDoor(context)
    const client = await door.client('bay')
    await client.publishAsync(TOPIC, '', { qos: 1 })
    await client.publishAsync('pulso/parkign/bay/telemetry', '{}', { qos: 1, retain: true })
    await client.publishAsync('pulso/parking/bay/command/result', '{}', { qos: 1 })
    await client.publishAsync('pulso/parking/bay/presence', 'online', { qos: 1, retain: true })
    assert.equal((await door.kept(4)).length, 4)
  })
})

describe('QoS 2 is kept once', () => {
  const publish = (fields: { dup?: boolean; payload?: string } = {}): Buffer =>
    publishPacket({ topic: TOPIC, qos: 2, id: 5, ...fields })

  test('repeated on the same connection before PUBREL, even while the first is not kept yet', async (context) => {
    const gate = createGate()
    const door = await openDoor(context, { wrapJournal: gate.wrap })
    const device = await connected(door)
    device.send(publish(), publish({ dup: true }), pingPacket())
    await device.next('pingresp')
    gate.open()
    await device.next('pubrec')
    await device.next('pubrec')
    device.send(publish({ dup: true }))
    await device.next('pubrec')
    device.send(pubrelPacket(5))
    await device.next('pubcomp')
    assert.equal((await door.kept(1)).length, 1)

    // After PUBREL the id is free for another message.
    device.send(publish())
    await device.next('pubrec')
    assert.equal((await door.kept(2)).length, 2)
  })

  test('repeated after a reconnect of a session that is to be kept', async (context) => {
    const door = await openDoor(context)
    const first = await connected(door, { clean: false })
    first.send(publish())
    await first.next('pubrec')
    first.close()
    const second = await connected(door, { clean: false })
    second.send(publish({ dup: true }))
    await second.next('pubrec')
    second.send(pubrelPacket(5))
    await second.next('pubcomp')
    assert.equal((await door.kept(1)).length, 1)
  })

  test('but a new message that reuses the id of a forgotten session is not lost', async (context) => {
    const door = await openDoor(context)
    const first = await connected(door, { clean: false })
    first.send(publish({ payload: '{"status":"free"}' }))
    await first.next('pubrec')
    first.close()
    const second = await connected(door, { clean: false })
    second.send(publish({ payload: '{"status":"occupied"}' }))
    await second.next('pubrec')
    assert.equal((await door.kept(2)).length, 2)
    second.close()
    const third = await connected(door, { clean: true })
    third.send(publish({ payload: '{"status":"occupied"}', dup: true }))
    await third.next('pubrec')
    assert.equal((await door.kept(3)).length, 3)
  })

  test('with no more open messages than the bound', async (context) => {
    const door = await openDoor(context, { limits: { qos2InFlight: 2 } })
    const device = await connected(door)
    for (const id of [1, 2, 3]) device.send(publishPacket({ topic: TOPIC, qos: 2, id }))
    await device.closed()
    assert.equal(await door.count('pulso_messages_refused_total{reason="qos2-in-flight"}'), 1)
  })
})

describe('a slow journal', () => {
  test('holds the sender back instead of filling the memory, and takes everything in the end', async (context) => {
    const gate = createGate()
    const door = await openDoor(context, {
      wrapJournal: gate.wrap,
      limits: { connectionInFlightBytes: 65_536 },
    })
    const device = await connected(door)
    const payload = Buffer.alloc(10_000, 'x')
    const messages = 1_000
    for (let id = 1; id <= messages; id++) device.send(publishPacket({ topic: TOPIC, payload, id }))
    await waitFor(() => gate.asked() > 0 && device.unsentBytes() > 0, { what: 'the sender to be held back' })
    const other = await connected(door, { clientId: 'other' })
    other.send(pingPacket())
    await other.next('pingresp')
    // The bound, and at most what one read of the socket brings on top.
    assert.ok(gate.asked() <= 20, `${gate.asked()} messages in flight`)
    gate.open()
    assert.equal((await door.kept(messages)).length, messages)
  })

  test('holds QoS 0 back too', async (context) => {
    const gate = createGate()
    const door = await openDoor(context, { wrapJournal: gate.wrap, limits: { inFlightBytes: 65_536 } })
    const device = await connected(door)
    const messages = 1_000
    const payload = Buffer.alloc(10_000, 'x')
    for (let i = 0; i < messages; i++) device.send(publishPacket({ topic: TOPIC, payload, qos: 0 }))
    await waitFor(() => gate.asked() > 0 && device.unsentBytes() > 0, { what: 'the sender to be held back' })
    assert.ok(gate.asked() <= 20, `${gate.asked()} messages in flight`)
    gate.open()
    assert.equal((await door.kept(messages)).length, messages)
  })
})

describe('stopping', () => {
  test('acknowledges what is in flight and ends', async (context) => {
    const gate = createGate()
    const door = await openDoor(context, { wrapJournal: gate.wrap })
    const device = await connected(door)
    device.send(publishPacket({ topic: TOPIC, id: 9 }), pingPacket())
    await device.next('pingresp')
    const stopped = door.broker.stop()
    device.send(publishPacket({ topic: TOPIC, id: 10 }))
    gate.open()
    assert.deepEqual([...(await device.next('puback'))], [0, 9])
    await stopped
    await device.closed()
    assert.equal((await door.kept(1)).length, 1)
    await assert.rejects(door.device())
  })

  test('ends within a second even when the journal hangs', async (context) => {
    const door = await openDoor(context, {
      wrapJournal: (journal) => ({ ...journal, append: () => new Promise(() => undefined) }),
      limits: { stopMs: 100 },
    })
    const device = await connected(door)
    device.send(publishPacket({ topic: TOPIC }), pingPacket())
    await device.next('pingresp')
    const startedAtMs = Date.now()
    await door.broker.stop()
    await device.closed()
    assert.ok(Date.now() - startedAtMs < 1_000)
    assert.equal(device.pending('puback'), 0)
  })
})
