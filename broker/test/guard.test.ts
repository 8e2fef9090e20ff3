import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createPacketMeter } from '../src/meter.ts'
import { waitFor } from '../../test/support/wait.ts'
import { openDoor, SECRET, type Door } from './support/door.ts'
import {
  connectPacket,
  lengthBytes,
  packet,
  pingPacket,
  publishPacket,
  type Device,
} from './support/device.ts'

const TOPIC = 'pulso/parking/bay/telemetry'
const MEGABYTE = 1_048_576

async function connected(door: Door): Promise<Device> {
  const device = await door.device()
  device.send(connectPacket({ username: 'bay', password: SECRET }))
  await device.next('connack')
  return device
}

describe('a packet too large', () => {
  test('is refused by its header alone: 200 MB announced before CONNECT', async (context) => {
    const door = await openDoor(context)
    const device = await door.device()
    device.send(Buffer.concat([Buffer.of(0x10), lengthBytes(200 * MEGABYTE)]))
    await device.closed()
    assert.equal(await door.count('pulso_connections_refused_total{reason="packet-too-large"}'), 1)
  })

  test('a CONNECT of more than 1 KiB', async (context) => {
    const door = await openDoor(context)
    const device = await door.device()
    const will = { topic: 'pulso/parking/bay/presence', payload: 'x'.repeat(1_024) }
    device.send(connectPacket({ username: 'bay', password: SECRET, will }))
    await device.closed()
    assert.equal(await door.count('pulso_connections_refused_total{reason="packet-too-large"}'), 1)
  })

  test('200 MB and 1 MB announced afterwards', async (context) => {
    const door = await openDoor(context)
    for (const bytes of [200 * MEGABYTE, MEGABYTE]) {
      const device = await connected(door)
      device.send(Buffer.concat([Buffer.of(0x32), lengthBytes(bytes), Buffer.alloc(1_000)]))
      await device.closed()
    }
    assert.equal(await door.count('pulso_messages_refused_total{reason="packet-too-large"}'), 2)
    assert.deepEqual(await door.kept(0), [])
  })

  test('a payload one byte over the bound, while one at the bound is kept', async (context) => {
    const door = await openDoor(context)
    const device = await connected(door)
    device.send(publishPacket({ topic: TOPIC, payload: Buffer.alloc(65_536, 'x') }))
    await device.next('puback')
    device.send(publishPacket({ topic: TOPIC, payload: Buffer.alloc(65_537, 'x') }))
    await device.closed()
    const kept = await door.kept(1)
    assert.deepEqual(
      kept.map(({ payload }) => payload.byteLength),
      [65_536],
    )
  })
})

describe('strangers at the door', () => {
  const nonsense: [string, Buffer][] = [
    ['a web browser', Buffer.from('GET / HTTP/1.1\r\nHost: city\r\n\r\n')],
    ['a TLS client', Buffer.from('16030100f8010000f40303', 'hex')],
    ['a length without end', Buffer.of(0x10, 0xff, 0xff, 0xff, 0xff, 0xff)],
    ['zeros', Buffer.alloc(500)],
    ['a PUBLISH without CONNECT', publishPacket({ topic: TOPIC })],
    ['a ping without CONNECT', pingPacket()],
    ['a CONNECT of another protocol', packet(0x10, Buffer.from('\0\x04QMTT\x04\x02\0\0\0\0'))],
    ['a CONNECT that ends too early', packet(0x10, Buffer.from('\0\x04MQTT\x04\xc2'))],
  ]

  for (const [name, bytes] of nonsense) {
    test(`${name} is sent away, and the others are served`, async (context) => {
      const door = await openDoor(context)
      const stranger = await door.device()
      stranger.send(bytes)
      await stranger.closed()
      const device = await connected(door)
      device.send(publishPacket({ topic: TOPIC }))
      await device.next('puback')
    })
  }

  const rude: [string, Buffer][] = [
    ['a second CONNECT', connectPacket({ username: 'lamp', password: SECRET })],
    ['QoS 3', Buffer.concat([Buffer.of(0x36), publishPacket({ topic: TOPIC }).subarray(1)])],
    ['a topic with a wildcard', publishPacket({ topic: 'pulso/+/bay/telemetry' })],
    ['an empty topic', publishPacket({ topic: '' })],
    ['a hundred levels', publishPacket({ topic: '/'.repeat(200) })],
    ['a SUBSCRIBE to nothing', packet(0x82, Buffer.of(0, 1))],
    ['a packet of the broker', Buffer.of(0x20, 2, 0, 0)],
    ['a packet type that there is not', Buffer.of(0xf0, 0)],
  ]

  test('known clients that forget the protocol are disconnected one by one', async (context) => {
    const door = await openDoor(context)
    for (const [name, bytes] of rude) {
      const device = await connected(door)
      device.send(bytes)
      await device.closed()
      assert.equal(device.pending('puback'), 0, name)
    }
    assert.deepEqual(await door.kept(0), [])
    await waitFor(() => door.broker.connections() === 0, { what: 'the connections to end' })
  })
})

test('packets that come byte by byte, or many at once, are all understood', async (context) => {
  const door = await openDoor(context)
  const device = await door.device()
  for (const byte of connectPacket({ username: 'bay', password: SECRET })) device.send(Buffer.of(byte))
  await device.next('connack')
  const packets = Array.from({ length: 300 }, (_, id) =>
    publishPacket({ topic: TOPIC, id: id + 1, payload: 'x'.repeat(id) }),
  )
  const stream = Buffer.concat(packets)
  for (let start = 0; start < stream.length; start += 777) device.send(stream.subarray(start, start + 777))
  for (let id = 1; id <= packets.length; id++) {
    assert.equal((await device.next('puback')).readUInt16BE(0), id)
  }
  assert.equal((await door.kept(300)).length, 300)
})

test('the meter finds the same packets however the stream is cut', () => {
  const bodies = [0, 1, 127, 128, 300, 16_383, 16_384]
  const stream = Buffer.concat([
    ...bodies.map((bytes) => packet(0x30, Buffer.alloc(bytes))),
    Buffer.of(0x30, 0xff, 0xff, 0x7f),
  ])
  for (const step of [1, 2, 3, 5, 1_000, stream.length]) {
    const meter = createPacketMeter(16_384)
    const verdicts: unknown[] = []
    for (let start = 0; start < stream.length; start += step) {
      if (meter.take(stream.subarray(start, start + step)) >= 0) continue
      verdicts.push(meter.verdict()?.reason)
      break
    }
    assert.deepEqual(verdicts, ['packet-too-large'])
  }
})
