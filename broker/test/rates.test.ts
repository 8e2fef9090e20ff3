import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createBucket, msUntilToken, takeToken, tokensAt } from '../src/bucket.ts'
import { waitFor } from '../../test/support/wait.ts'
import { connectPacket, pingPacket, publishPacket, pubrelPacket, type Device } from './support/device.ts'
import { openDoor, SECRET, type Door } from './support/door.ts'

const TOPIC = 'pulso/parking/bay/telemetry'
const HELD_BY_MESSAGES = 'pulso_held_back_total{reason="message-rate"}'

async function connected(door: Door, clientId: string, username = 'bay'): Promise<Device> {
  const device = await door.device()
  device.send(connectPacket({ username, password: SECRET, clientId }))
  assert.equal((await device.next('connack'))[1], 0)
  return device
}

function messages(count: number, fields: { topic?: string; payload?: Buffer } = {}): Buffer {
  const all = Array.from({ length: count }, (_, index) =>
    publishPacket({ topic: TOPIC, id: index + 1, ...fields }),
  )
  return Buffer.concat(all)
}

describe('a sensor that sends too fast', () => {
  test('waits instead of losing anything, and is not disconnected for a burst', async (context) => {
    const door = await openDoor(context, { limits: { messagesPerSecond: 20 } })
    const device = await connected(door, 'a')
    const startMs = performance.now()
    // Ten seconds' worth may come at once, and thirty more take 1.5 s.
    device.send(messages(230))
    for (let id = 1; id <= 230; id++) assert.equal((await device.next('puback')).readUInt16BE(0), id)
    assert.ok(performance.now() - startMs >= 1_400)
    assert.ok((await door.count(HELD_BY_MESSAGES)) >= 1)
    assert.equal((await door.kept(230)).length, 230)
    device.send(pingPacket())
    await device.next('pingresp')
  })

  test('is read to its end also when it leaves in the meantime', async (context) => {
    const door = await openDoor(context, { limits: { messagesPerSecond: 20 } })
    const device = await connected(door, 'a')
    device.send(messages(260))
    device.end()
    assert.equal((await door.kept(260)).length, 260)
    await waitFor(() => door.broker.connections() === 0, { what: 'the connection to end' })
  })

  test('has one rate over all its connections, also over those it opens for that', async (context) => {
    const door = await openDoor(context, {
      clock: { now: () => 1_000_000 },
      limits: { messagesPerSecond: 10 },
    })
    const first = await connected(door, 'a')
    const second = await connected(door, 'b')
    const other = await connected(door, 'c', 'lamp')
    first.send(messages(60))
    for (let id = 1; id <= 60; id++) await first.next('puback')
    first.close()
    second.send(messages(60))
    for (let id = 1; id <= 40; id++) await second.next('puback')
    await waitFor(async () => (await door.count(HELD_BY_MESSAGES)) >= 1, { what: 'the sensor to wait' })
    const third = await connected(door, 'd')
    third.send(messages(1))
    other.send(messages(1, { topic: 'pulso/parking/lamp/telemetry' }))
    await other.next('puback')
    assert.deepEqual([second.pending('puback'), third.pending('puback')], [0, 0])
    assert.equal((await door.kept(101)).length, 101)
  })

  test('is disconnected when it goes on, and that is counted and logged', async (context) => {
    const door = await openDoor(context, { limits: { messagesPerSecond: 10, overRateMs: 400 } })
    const device = await connected(door, 'a')
    device.send(messages(1_000))
    await device.closed()
    assert.equal(await door.count('pulso_connections_ended_total{reason="message-rate"}'), 1)
    assert.ok(door.logged.some(({ reason, username }) => reason === 'message-rate' && username === 'bay'))
    // What was acknowledged is kept, and nothing else was acknowledged.
    const acknowledged = device.pending('puback')
    assert.ok(acknowledged >= 100 && acknowledged < 200, `${acknowledged}`)
    assert.ok((await door.kept(acknowledged)).length >= acknowledged)
  })

  test('is held to its bytes as well', async (context) => {
    const door = await openDoor(context, { limits: { bytesPerSecond: 10_000, overRateMs: 400 } })
    const device = await connected(door, 'a')
    const payload = Buffer.alloc(1_000)
    device.send(messages(95, { payload }))
    for (let id = 1; id <= 95; id++) await device.next('puback')
    device.send(messages(100, { payload }))
    await device.closed()
    assert.equal(await door.count('pulso_connections_ended_total{reason="byte-rate"}'), 1)
    assert.ok((await door.count('pulso_held_back_total{reason="byte-rate"}')) >= 1)
  })

  test('pays for a QoS 2 message once, and for pings too', async (context) => {
    const door = await openDoor(context, {
      clock: { now: () => 1_000_000 },
      limits: { messagesPerSecond: 1 },
    })
    const device = await connected(door, 'a')
    for (let id = 1; id <= 8; id++) {
      device.send(publishPacket({ topic: TOPIC, qos: 2, id }))
      await device.next('pubrec')
      device.send(pubrelPacket(id))
      await device.next('pubcomp')
    }
    device.send(pingPacket(), pingPacket(), pingPacket())
    await device.next('pingresp')
    await device.next('pingresp')
    await waitFor(async () => (await door.count(HELD_BY_MESSAGES)) >= 1, { what: 'the third ping to wait' })
    assert.equal(device.pending('pingresp'), 0)
  })
})

describe('a gateway', () => {
  const topic = 'pulso/parking/gate-1/telemetry'

  test('has no rate unless it is given one', async (context) => {
    const door = await openDoor(context, { limits: { messagesPerSecond: 1, bytesPerSecond: 1 } })
    const device = await connected(door, 'a', 'gate')
    device.send(messages(2_000, { topic }))
    for (let id = 1; id <= 2_000; id++) await device.next('puback')
    assert.equal(await door.count(HELD_BY_MESSAGES), 0)
  })

  test('then has that one for all its sensors together', async (context) => {
    const door = await openDoor(context, {
      clock: { now: () => 1_000_000 },
      limits: { gatewayMessagesPerSecond: 1 },
    })
    const device = await connected(door, 'a', 'gate')
    device.send(messages(6, { topic }), messages(6, { topic: topic.replace('gate-1', 'gate-2') }))
    for (let message = 0; message < 10; message++) await device.next('puback')
    await waitFor(async () => (await door.count(HELD_BY_MESSAGES)) >= 1, { what: 'the gateway to wait' })
    assert.equal((await door.kept(10)).length, 10)
  })
})

describe('a client that does not read', () => {
  test('is not read on, and closed in the end', async (context) => {
    const door = await openDoor(context, {
      limits: { messagesPerSecond: 0, bytesPerSecond: 0, drainTimeoutMs: 500, unreadBytes: 65_536 },
    })
    const device = await connected(door, 'a')
    const other = await connected(door, 'b', 'lamp')
    device.ignore()
    const pings = Buffer.concat(Array.from({ length: 100_000 }, pingPacket))
    const isSlow = async (): Promise<boolean> =>
      (await door.count('pulso_connections_ended_total{reason="slow-reader"}')) === 1
    // More and more until the system's buffers are full in both directions.
    await waitFor(
      async () => {
        if (device.unsentBytes() < pings.length) device.send(pings)
        other.send(pingPacket())
        await other.next('pingresp')
        return isSlow()
      },
      { what: 'the client to be closed', everyMs: 10 },
    )
    await waitFor(() => door.broker.connections() === 1, { what: 'its connection to end' })
  })
})

describe('a bucket', () => {
  test('gives its rate, a burst of ten seconds and no more, and nothing for a clock set back', () => {
    const bucket = createBucket(2, 0)
    assert.ok(bucket)
    for (let token = 0; token < 20; token++) assert.equal(takeToken(bucket, 0), true)
    assert.equal(takeToken(bucket, 0), false)
    assert.equal(msUntilToken(bucket), 500)
    assert.equal(takeToken(bucket, 499), false)
    assert.equal(takeToken(bucket, 500), true)
    assert.equal(tokensAt(bucket, 60_000_000), 20)
    bucket.tokens = 0
    assert.equal(tokensAt(bucket, 1_000), 0)
    assert.equal(tokensAt(bucket, 1_500), 1)
  })

  test('without a rate there is none, and everything is let through', () => {
    assert.equal(createBucket(0, 0), undefined)
    assert.equal(takeToken(undefined, 0), true)
  })
})
