import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DEVICE_API_TOPIC, parseRoute, UP_CHANNELS } from '@pulso/model'
import { connectPacket, publishPacket, subscribePacket, type Device } from './support/device.ts'
import { openDoor, SECRET, type Door } from './support/door.ts'

const REFUSED = 0x80

async function connected(door: Door, username: string): Promise<Device> {
  const device = await door.device()
  device.send(connectPacket({ username, password: SECRET }))
  assert.equal((await device.next('connack'))[1], 0)
  return device
}

async function assertRefused(door: Door, username: string, topic: string): Promise<void> {
  const device = await connected(door, username)
  device.send(publishPacket({ topic }))
  await device.closed()
  assert.equal(device.pending('puback'), 0, topic)
}

describe('the topic of ThingsBoard’s devices', () => {
  test('is kept with the sensor in the place of `me`, also from a last will', async (context) => {
    const door = await openDoor(context)
    const device = await connected(door, 'bay')
    for (const qos of [1, 2] as const) device.send(publishPacket({ topic: DEVICE_API_TOPIC, qos, id: qos }))
    device.send(publishPacket({ topic: 'pulso/parking/bay/telemetry', id: 3 }))
    device.send(publishPacket({ topic: DEVICE_API_TOPIC, qos: 0 }))
    const other = await door.device()
    const will = { topic: DEVICE_API_TOPIC, payload: '{"active":false}' }
    other.send(connectPacket({ username: 'lamp', password: SECRET, will }))
    await other.next('connack')
    await door.kept(4)
    other.close()
    const kept = await door.kept(5)
    assert.deepEqual(
      kept.map(({ topic, credential }) => [topic, credential]),
      [
        ['v1/devices/bay/telemetry', 'bay'],
        ['v1/devices/bay/telemetry', 'bay'],
        ['pulso/parking/bay/telemetry', 'bay'],
        ['v1/devices/bay/telemetry', 'bay'],
        ['v1/devices/lamp/telemetry', 'lamp'],
      ],
    )
    assert.deepEqual(parseRoute(kept[0]?.topic ?? ''), { type: 'device-api', sensorId: 'bay' })
  })

  test('is no gateway’s, which would not say for whom', async (context) => {
    const door = await openDoor(context)
    await assertRefused(door, 'gate', DEVICE_API_TOPIC)
    assert.equal(await door.count('pulso_messages_refused_total{reason="not-allowed"}'), 1)
  })

  test('cannot be used to speak for another by name, nor are its neighbours taken', async (context) => {
    const door = await openDoor(context)
    const topics = ['v1/devices/lamp/telemetry', 'v1/devices/bay/telemetry', 'v1/devices/me/attributes']
    for (const topic of topics) await assertRefused(door, 'bay', topic)
    assert.deepEqual(await door.kept(0), [])
  })

  test('brings no subscriptions with it', async (context) => {
    const door = await openDoor(context)
    const device = await connected(door, 'bay')
    device.send(subscribePacket('v1/devices/me/rpc/request/+', 'v1/devices/me/telemetry', 'v1/devices/me/#'))
    assert.deepEqual([...(await device.next('suback'))].slice(2), [REFUSED, REFUSED, REFUSED])
  })
})

describe('topics', () => {
  test('of every channel that goes up are taken', async (context) => {
    const door = await openDoor(context)
    const device = await connected(door, 'bay')
    for (const channel of UP_CHANNELS) device.send(publishPacket({ topic: `pulso/parking/bay/${channel}` }))
    assert.equal((await door.kept(UP_CHANNELS.length)).length, UP_CHANNELS.length)
  })

  test('are bounded in length and depth, and a log line shows the beginning of one', async (context) => {
    const door = await openDoor(context, { limits: { topicBytes: 200, topicLevels: 8 } })
    const cases: [string, string][] = [
      ['x'.repeat(201), 'topic-too-long'],
      ['é'.repeat(101), 'topic-too-long'],
      ['a/'.repeat(8), 'topic-too-deep'],
      [`${'a/'.repeat(7)}${'x'.repeat(150)}`, 'wrong-topic'],
    ]
    for (const [topic] of cases) await assertRefused(door, 'bay', topic)
    for (const [reason, count] of [
      ['topic-too-long', 2],
      ['topic-too-deep', 1],
      ['wrong-topic', 1],
    ]) {
      assert.equal(await door.count(`pulso_messages_refused_total{reason="${reason}"}`), count)
    }
    const device = await connected(door, 'bay')
    device.send(subscribePacket(`pulso/parking/bay/${'x'.repeat(500)}`))
    await device.next('suback')
    const shown = door.logged.flatMap(({ topic }) => (typeof topic === 'string' ? [topic] : []))
    assert.equal(shown.length, 5)
    for (const topic of shown) assert.ok(topic.length <= 101, topic)
    const will = { topic: 'x'.repeat(201), payload: '' }
    const other = await door.device()
    other.send(connectPacket({ username: 'bay', password: SECRET, will }))
    assert.equal((await other.next('connack'))[1], 5)
  })
})
