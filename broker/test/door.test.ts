import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { AppError, systemClock } from '@pulso/model'
import { pino } from 'pino'
import { Registry as MetricsRegistry } from 'prom-client'
import { createBroker } from '../src/index.ts'
import { waitFor } from '../../test/support/wait.ts'
import { openDoor, SECRET, type Door } from './support/door.ts'
import {
  connectPacket,
  pingPacket,
  publishPacket,
  subscribePacket,
  type ConnectFields,
} from './support/device.ts'

const REFUSED = 0x80

/** The return code of the CONNACK. */
async function connackCode(door: Door, fields: ConnectFields): Promise<number | undefined> {
  const device = await door.device()
  device.send(connectPacket(fields))
  return (await device.next('connack'))[1]
}

describe('who may come in', () => {
  test('the right secret, and no other', async (context) => {
    const door = await openDoor(context)
    assert.equal(await connackCode(door, { username: 'bay', password: SECRET }), 0)
    const wrong: ConnectFields[] = [
      { username: 'bay', password: 'wrong' },
      { username: 'bay', password: '' },
      { username: 'bay' },
      { username: 'nobody', password: SECRET },
      { username: '', password: '' },
      {},
    ]
    for (const fields of wrong) assert.equal(await connackCode(door, fields), 4, JSON.stringify(fields))
    assert.equal(await door.count('pulso_connections_refused_total{reason="bad-credentials"}'), wrong.length)
    const line = door.logged.find(({ reason }) => reason === 'bad-credentials')
    assert.deepEqual([line?.address, line?.username], ['127.0.0.1', 'bay'])
    assert.ok(!JSON.stringify(door.logged).includes(SECRET))
  })

  test('a registry that does not answer is said as such, and the next attempt may go well', async (context) => {
    let isDown = true
    const door = await openDoor(context, {
      wrapCredentials: (credentials) => ({
        ...credentials,
        findCredential: (name) =>
          isDown
            ? Promise.reject(new AppError('registry-unavailable', 'down'))
            : credentials.findCredential(name),
      }),
    })
    assert.equal(await connackCode(door, { username: 'bay', password: SECRET }), 3)
    isDown = false
    assert.equal(await connackCode(door, { username: 'bay', password: SECRET }), 0)
  })

  test('a credential may hold many connections; the same client id takes over within it alone', async (context) => {
    const door = await openDoor(context)
    const connect = async (username: string, clientId: string) => {
      const device = await door.device()
      device.send(connectPacket({ username, clientId, password: SECRET }))
      assert.equal((await device.next('connack'))[1], 0)
      return device
    }
    const first = await connect('bay', 'one')
    const second = await connect('bay', 'two')
    const stranger = await connect('lamp', 'one')
    assert.equal(door.broker.connections(), 3)
    assert.equal(await door.count('pulso_connections'), 3)
    await connect('bay', 'one')
    await first.closed()
    for (const device of [second, stranger]) {
      device.send(pingPacket())
      await device.next('pingresp')
    }
  })

  test('a client id beyond the bound is refused as such', async (context) => {
    const door = await openDoor(context)
    const fields = { username: 'bay', password: SECRET }
    assert.equal(await connackCode(door, { ...fields, clientId: 'x'.repeat(256) }), 0)
    assert.equal(await connackCode(door, { ...fields, clientId: 'x'.repeat(257) }), 2)
  })

  test('MQTT 5 is told that it is not spoken here', async (context) => {
    const door = await openDoor(context)
    await assert.rejects(door.client('bay', { protocolVersion: 5 }))
    await waitFor(
      async () => (await door.count('pulso_connections_refused_total{reason="protocol-version"}')) === 1,
      { what: 'the refusal to be counted' },
    )
  })

  test('no more connections than the bound', async (context) => {
    const door = await openDoor(context, { limits: { connections: 2 } })
    const fields = { username: 'bay', password: SECRET }
    assert.equal(await connackCode(door, { ...fields, clientId: 'a' }), 0)
    assert.equal(await connackCode(door, { ...fields, clientId: 'b' }), 0)
    await (await door.device()).closed()
    assert.equal(await door.count('pulso_connections_refused_total{reason="too-many-connections"}'), 1)
  })

  test('who does not say CONNECT in time has to go', async (context) => {
    const door = await openDoor(context, { limits: { connectTimeoutMs: 20 } })
    await (await door.device()).closed()
    assert.equal(await door.count('pulso_connections_refused_total{reason="connect-timeout"}'), 1)
  })

  test('a revoked credential can be thrown out', async (context) => {
    const door = await openDoor(context)
    const client = await door.client('bay')
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
    assert.equal(door.broker.disconnect('lamp'), 0)
    assert.equal(door.broker.disconnect('bay'), 1)
    await closed
    await waitFor(() => door.broker.connections() === 0, { what: 'the connection to end' })
  })
})

describe('what may be published', () => {
  const refusals: [username: string, topic: string, reason: string][] = [
    ['bay', 'pulso/parking/lamp/telemetry', 'not-allowed'],
    ['gate', 'pulso/parking/bay/telemetry', 'not-allowed'],
    ['gate', 'pulso/parking/gate/telemetry', 'not-allowed'],
    ['bay', 'pulso/parking/bay/command', 'wrong-topic'],
    ['bay', 'pulso/parking/bay', 'wrong-topic'],
    ['bay', 'pulso/parking/bay/telemetry/more', 'wrong-topic'],
    ['bay', 'pulso/parking//telemetry', 'wrong-topic'],
    ['bay', '/pulso/parking/bay/telemetry', 'wrong-topic'],
    ['bay', 'Pulso/parking/bay/telemetry', 'wrong-topic'],
    ['bay', 'home/kitchen', 'wrong-topic'],
    ['bay', '$SYS/broker/uptime', 'wrong-topic'],
    ['bay', `pulso/parking/${'x'.repeat(65)}/telemetry`, 'wrong-topic'],
    ['bay', 'pulso/parking/bay\u0000/telemetry', 'wrong-topic'],
  ]

  test('only on the topics of the contract, for sensors of the credential', async (context) => {
    const door = await openDoor(context)
    for (const [username, topic] of refusals) {
      for (const qos of [0, 1, 2] as const) {
        const device = await door.device()
        device.send(connectPacket({ username, password: SECRET }))
        await device.next('connack')
        device.send(publishPacket({ topic, qos }))
        await device.closed()
        assert.equal(device.pending('puback') + device.pending('pubrec'), 0, topic)
      }
    }
    for (const reason of ['not-allowed', 'wrong-topic']) {
      const expected = refusals.filter((refusal) => refusal[2] === reason).length * 3
      assert.equal(await door.count(`pulso_messages_refused_total{reason="${reason}"}`), expected)
    }
    assert.deepEqual(await door.kept(0), [])
    const line = door.logged.find(({ reason }) => reason === 'not-allowed')
    assert.deepEqual([line?.username, line?.topic], ['bay', 'pulso/parking/lamp/telemetry'])
  })

  test('by a gateway for every id with its prefix', async (context) => {
    const door = await openDoor(context)
    const client = await door.client('gate')
    for (const id of ['gate-1', 'gate-', 'gate-a.b:c_d']) {
      await client.publishAsync(`pulso/parking/${id}/telemetry`, '{}', { qos: 1 })
    }
    assert.deepEqual(
      (await door.kept(3)).map(({ credential }) => credential),
      ['gate', 'gate', 'gate'],
    )
  })

  test('a log that strangers fill says how much it left out', async (context) => {
    let nowMs = 1_000_000
    const door = await openDoor(context, { clock: { now: () => nowMs } })
    for (let i = 0; i < 30; i++) await connackCode(door, { username: 'nobody', password: 'x' })
    const refused = (): Record<string, unknown>[] =>
      door.logged.filter(({ msg }) => msg === 'Connection refused')
    assert.equal(refused().length, 20)
    nowMs += 60_000
    await connackCode(door, { username: 'nobody', password: 'x' })
    assert.equal(refused().at(-1)?.leftOut, 10)
    assert.equal(await door.count('pulso_connections_refused_total{reason="bad-credentials"}'), 31)
  })
})

describe('a last will', () => {
  test('is kept for the credential that left it', async (context) => {
    const door = await openDoor(context)
    const device = await door.device()
    const will = { topic: 'pulso/parking/bay/presence', payload: 'offline' }
    device.send(
      connectPacket({ username: 'bay', password: SECRET, will }),
      subscribePacket('pulso/+/bay/command'),
    )
    await device.next('suback')
    device.close()
    const [kept] = await door.kept(1)
    assert.deepEqual([kept?.topic, kept?.credential], [will.topic, 'bay'])
    assert.equal(Buffer.from(kept?.payload ?? []).toString(), 'offline')
  })

  test("for somebody else's sensor is refused at once", async (context) => {
    const door = await openDoor(context)
    for (const topic of ['pulso/parking/lamp/presence', 'anything']) {
      const fields = { username: 'bay', password: SECRET, will: { topic, payload: 'offline' } }
      assert.equal(await connackCode(door, fields), 5)
    }
    assert.deepEqual(await door.kept(0), [])
  })

  test('is kept when the broker itself goes: nobody is online any more', async (context) => {
    const door = await openDoor(context)
    const will = {
      topic: 'pulso/parking/bay/presence',
      payload: Buffer.from('offline'),
      qos: 1 as const,
      retain: true,
    }
    await door.client('bay', { will })
    await door.broker.stop()
    assert.equal((await door.kept(1)).length, 1)
  })
})

describe('what may be subscribed to', () => {
  const cases: [username: string, filter: string, granted: number][] = [
    ['bay', 'pulso/parking/bay/command', 1],
    ['bay', 'pulso/+/bay/command', 1],
    ['gate', 'pulso/parking/gate-7/command', 1],
    ['bay', 'pulso/parking/lamp/command', REFUSED],
    ['bay', 'pulso/parking/+/command', REFUSED],
    ['bay', 'pulso/parking/bay/telemetry', REFUSED],
    ['bay', 'pulso/parking/bay/#', REFUSED],
    ['bay', 'pulso/#', REFUSED],
    ['bay', '#', REFUSED],
    ['bay', '+/+/+/+', REFUSED],
    ['bay', '$SYS/#', REFUSED],
    ['bay', '$share/group/pulso/parking/bay/command', REFUSED],
    ['gate', 'pulso/parking/+/command', REFUSED],
    ['gate', 'pulso/parking/bay/command', REFUSED],
    ['all', 'pulso/parking/+/command', 1],
    ['all', 'pulso/parking/+/telemetry', REFUSED],
  ]

  test('the commands of the own sensors, nothing else', async (context) => {
    const door = await openDoor(context)
    await door.addCredential('all', { type: 'gateway', prefix: '' })
    for (const username of ['bay', 'gate', 'all']) {
      const theirs = cases.filter((each) => each[0] === username)
      const device = await door.device()
      device.send(connectPacket({ username, password: SECRET }))
      device.send(subscribePacket(...theirs.map(([, filter]) => filter)))
      const granted = [...(await device.next('suback'))].slice(2)
      assert.deepEqual(
        granted,
        theirs.map((each) => each[2]),
      )
    }
  })

  test('no more than the bound', async (context) => {
    const door = await openDoor(context, { limits: { subscriptions: 1 } })
    const device = await door.device()
    device.send(connectPacket({ username: 'gate', password: SECRET }))
    device.send(subscribePacket('pulso/parking/gate-1/command', 'pulso/parking/gate-2/command'))
    assert.deepEqual([...(await device.next('suback'))].slice(2), [1, REFUSED])
  })
})

test('a port that is taken is named', async (context) => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  context.after(() => other.close())
  const { port } = other.address() as AddressInfo
  const door = await openDoor(context)
  const broker = createBroker({
    host: '127.0.0.1',
    port,
    journal: door.writer,
    credentials: door.registry,
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    metrics: new MetricsRegistry(),
  })
  await assert.rejects(broker.start(), (error: AppError) => {
    assert.equal(error.code, 'port-in-use')
    assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}`))
    return true
  })
  await broker.stop()
})
