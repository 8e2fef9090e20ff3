import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { isLoopback, toAddressKey } from '@pulso/model'
import { createLedger } from '../src/ledger.ts'
import { waitFor } from '../../test/support/wait.ts'
import { connectPacket, pingPacket, publishPacket, type Device } from './support/device.ts'
import { openDoor, SECRET, type Door, type DoorOptions } from './support/door.ts'

const TOPIC = 'pulso/parking/bay/telemetry'
const CONNECT = connectPacket({ username: 'bay', password: SECRET })

/** What the door does with strangers' addresses, which 127.0.0.1 is one of here. */
const openToStrangers = (...[context, options]: Parameters<typeof openDoor>): Promise<Door> =>
  openDoor(context, { isExempt: () => false, ...options })

const refusals = (door: Door, reason: string): Promise<number> =>
  door.count(`pulso_connections_refused_total{reason="${reason}"}`)

async function connected(door: Door, clientId: string): Promise<Device> {
  const device = await door.device()
  device.send(connectPacket({ username: 'bay', password: SECRET, clientId }))
  await device.next('connack')
  return device
}

describe('sockets of one address', () => {
  test('are bounded in number, and room is made when one goes', async (context) => {
    const door = await openToStrangers(context, { limits: { connectionsPerAddress: 2 } })
    const first = await connected(door, 'a')
    await connected(door, 'b')
    await (await door.device()).closed()
    assert.equal(await refusals(door, 'too-many-of-address'), 1)
    first.close()
    await waitFor(() => door.broker.connections() === 1, { what: 'the first to have gone' })
    await connected(door, 'c')
  })

  test('are bounded in how fast they come: a flood of connects', async (context) => {
    let nowMs = 1_000_000
    const door = await openToStrangers(context, {
      clock: { now: () => nowMs },
      limits: { connectsPerSecondPerAddress: 2 },
    })
    // Ten seconds' worth may come at once.
    for (let index = 0; index < 20; index++) (await connected(door, `${index}`)).close()
    for (let index = 0; index < 10; index++) await (await door.device()).closed()
    assert.equal(await refusals(door, 'connect-rate-of-address'), 10)
    assert.ok(door.logged.some(({ reason }) => reason === 'connect-rate-of-address'))
    nowMs += 500
    await connected(door, 'later')
    await (await door.device()).closed()
    nowMs += 60_000
    await connected(door, 'much later')
  })

  test('are bounded in how many have not said who they are', async (context) => {
    const door = await openToStrangers(context, { limits: { halfOpenPerAddress: 3 } })
    const known = await connected(door, 'known')
    const silent = await Promise.all([door.device(), door.device(), door.device()])
    await (await door.device()).closed()
    assert.equal(await refusals(door, 'half-open-of-address'), 1)
    silent[0].send(CONNECT)
    await silent[0].next('connack')
    await connected(door, 'room again')
    known.send(pingPacket())
    await known.next('pingresp')
  })

  test('are not bounded on this machine itself', async (context) => {
    const limits: DoorOptions['limits'] = {
      connectionsPerAddress: 1,
      connectsPerSecondPerAddress: 1,
      halfOpenPerAddress: 1,
    }
    const door = await openDoor(context, { limits })
    const devices = await Promise.all(Array.from({ length: 20 }, () => door.device()))
    devices.forEach((device, index) =>
      device.send(connectPacket({ username: 'bay', password: SECRET, clientId: `${index}` })),
    )
    for (const device of devices) await device.next('connack')
  })
})

describe('sockets in all', () => {
  test('a flood of silent ones keeps nobody out: the oldest of them goes', async (context) => {
    const door = await openDoor(context, { limits: { halfOpen: 50 } })
    const silent: Device[] = []
    for (let index = 0; index < 200; index++) {
      silent.push(await door.device())
      if (index % 50 === 0) await connected(door, `${index}`)
    }
    await connected(door, 'in the middle of it')
    await waitFor(() => silent.slice(0, 149).every((device) => device.isClosed()), {
      what: 'the oldest to be closed',
    })
    assert.equal(door.broker.connections(), 5)
    assert.ok((await refusals(door, 'half-open')) >= 150)
    assert.ok((await door.count('pulso_connections_half_open')) <= 50)
  })

  test('are bounded in how fast they come', async (context) => {
    const door = await openDoor(context, {
      clock: { now: () => 1_000_000 },
      limits: { connectsPerSecond: 1 },
    })
    for (let index = 0; index < 10; index++) (await connected(door, `${index}`)).close()
    await (await door.device()).closed()
    assert.equal(await refusals(door, 'connect-rate'), 1)
  })
})

describe('a CONNECT', () => {
  test('that comes a byte at a time has to be done in time: slow loris', async (context) => {
    const door = await openDoor(context, { limits: { connectTimeoutMs: 300 } })
    const device = await door.device()
    for (const byte of CONNECT) {
      if (device.isClosed()) break
      device.send(Buffer.of(byte))
      await delay(20)
    }
    await device.closed()
    assert.equal(await refusals(door, 'connect-timeout'), 1)
  })

  test('that the registry does not answer is given up too', async (context) => {
    const door = await openDoor(context, {
      limits: { connectTimeoutMs: 100 },
      wrapCredentials: (credentials) => ({
        ...credentials,
        findCredential: () => new Promise(() => undefined),
      }),
    })
    const device = await door.device()
    device.send(CONNECT)
    await device.closed()
    assert.equal(await refusals(door, 'connect-timeout'), 1)
  })

  test('may be followed by messages at once: they wait for the CONNACK, however many', async (context) => {
    const door = await openDoor(context)
    const device = await door.device()
    const messages = Array.from({ length: 500 }, (_, index) =>
      publishPacket({ topic: TOPIC, id: index + 1, payload: 'x'.repeat(500) }),
    )
    device.send(CONNECT, ...messages)
    assert.equal((await device.next('connack'))[1], 0)
    for (let id = 1; id <= 500; id++) assert.equal((await device.next('puback')).readUInt16BE(0), id)
    assert.equal((await door.kept(500)).length, 500)
  })

  test('and a message, and the end of the line, in one go: the message is kept', async (context) => {
    const door = await openDoor(context)
    const device = await door.device()
    device.send(CONNECT, publishPacket({ topic: TOPIC, qos: 0 }), Buffer.of(0xe0, 0))
    device.end()
    assert.equal((await door.kept(1))[0]?.topic, TOPIC)
    await device.closed()
  })

  test('with a wrong secret gets nothing of what follows it read', async (context) => {
    const door = await openDoor(context)
    const device = await door.device()
    const wrong = connectPacket({ username: 'bay', password: 'wrong' })
    device.send(wrong, publishPacket({ topic: TOPIC, payload: 'x'.repeat(60_000) }))
    assert.equal((await device.next('connack'))[1], 4)
    await device.closed()
    assert.deepEqual(await door.kept(0), [])
  })

  test('followed by megabytes while the registry is slow fills no memory', async (context) => {
    const answer = Promise.withResolvers<undefined>()
    const door = await openDoor(context, {
      limits: { bytesPerSecond: 0 },
      wrapCredentials: (credentials) => ({
        ...credentials,
        async findCredential(name) {
          await answer.promise
          return credentials.findCredential(name)
        },
      }),
    })
    const device = await door.device()
    const message = publishPacket({ topic: TOPIC, payload: Buffer.alloc(60_000) })
    device.send(CONNECT, ...Array.from({ length: 500 }, () => message))
    await waitFor(async () => (await door.count('pulso_connections_half_open')) === 1, {
      what: 'the connection to be there',
    })
    await delay(300)
    // 30 MB were sent; what the broker has not read is still with the sender, but for the system's buffers.
    assert.ok(device.unsentBytes() > 15_000_000, `${device.unsentBytes()} bytes unsent`)
    answer.resolve(undefined)
    assert.equal((await door.kept(500)).length, 500)
  })
})

describe('addresses', () => {
  test('of one IPv6 network are one, an IPv4 one is itself however it is written', () => {
    const keys: [string, string][] = [
      ['192.0.2.7', '192.0.2.7'],
      ['::ffff:192.0.2.7', '192.0.2.7'],
      ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
      ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
      ['2001:db8::1', '2001:db8:0:0::/64'],
      ['2001:db8::', '2001:db8:0:0::/64'],
      ['::2', '0:0:0:0::/64'],
      ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ]
    for (const [address, key] of keys) assert.equal(toAddressKey(address), key, address)
  })

  test('of this machine are known in both families', () => {
    for (const address of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'])
      assert.ok(isLoopback(address))
    for (const address of ['192.0.2.7', '::2', '128.0.0.1', '::ffff:10.0.0.1'])
      assert.ok(!isLoopback(address))
  })
})

test('the ledger remembers who has left for a while, and no more of them than its bound', () => {
  let nowMs = 0
  const ledger = createLedger({
    create: () => ({ seen: 0 }),
    keepMs: 10_000,
    maxAbsent: 3,
    clock: { now: () => nowMs },
  })
  const visit = (key: string): number => {
    const entry = ledger.enter(key)
    ledger.leave(key)
    return entry.seen++
  }
  assert.deepEqual([visit('a'), visit('a')], [0, 1])
  for (const key of ['b', 'c', 'd']) visit(key)
  assert.equal(ledger.size(), 3)
  assert.equal(visit('a'), 0)
  // Whoever is there is not forgotten, however long.
  const present = ledger.enter('e')
  for (let index = 0; index < 1_000; index++) visit(`${index}`)
  assert.equal(ledger.enter('e'), present)
  assert.equal(ledger.size(), 4)
  nowMs += 10_000
  visit('last')
  assert.equal(ledger.size(), 2)
})
