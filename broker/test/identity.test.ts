import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hashSecret } from '@pulso/stores'
import { waitFor } from '../../test/support/wait.ts'
import { connectPacket, publishPacket, type ConnectFields, type Device } from './support/device.ts'
import { openDoor, SECRET, type Door } from './support/door.ts'

const TOPIC = 'pulso/parking/meter/telemetry'
const TOKEN = 'a-random-token'
const OLD_TOKEN = 'the-token-before'
const OLD_SECRET = 'the-secret-before'
const REFUSED = 4
const SCOPE = { type: 'sensor', sensorId: 'meter' } as const

async function connect(
  door: Door,
  fields: ConnectFields,
): Promise<{ device: Device; code: number | undefined }> {
  const device = await door.device()
  device.send(connectPacket(fields))
  return { device, code: (await device.next('connack'))[1] }
}

async function codeOf(door: Door, fields: ConnectFields): Promise<number | undefined> {
  return (await connect(door, fields)).code
}

/** A door that knows the device `meter` by its token. */
async function openDoorForToken(...[context, options]: Parameters<typeof openDoor>): Promise<Door> {
  const door = await openDoor(context, options)
  await door.addCredential('meter', SCOPE, { access: 'token', secretHash: hashSecret(TOKEN) })
  return door
}

describe('a token in the username’s place', () => {
  test('says who it is, whatever the password', async (context) => {
    const door = await openDoorForToken(context)
    assert.equal(await codeOf(door, { username: TOKEN }), 0)
    assert.equal(await codeOf(door, { username: TOKEN, password: 'anything', clientId: '' }), 0)
    const { device } = await connect(door, { username: TOKEN, clientId: 'third' })
    device.send(publishPacket({ topic: TOPIC }))
    await device.next('puback')
    const [kept] = await door.kept(1)
    assert.deepEqual([kept?.topic, kept?.credential], [TOPIC, 'meter'])
  })

  test('is the only thing that does: neither the name nor a wrong token', async (context) => {
    const door = await openDoorForToken(context)
    const wrong: ConnectFields[] = [
      { username: 'meter', password: TOKEN },
      { username: 'meter' },
      { username: 'another-token' },
      { username: hashSecret(TOKEN) },
      // A password is no token either.
      { username: SECRET },
    ]
    for (const fields of wrong) assert.equal(await codeOf(door, fields), REFUSED, JSON.stringify(fields))
  })

  test('stands in no log, no metric and no journal, whatever its holder does', async (context) => {
    const door = await openDoorForToken(context)
    const rude = [
      publishPacket({ topic: 'pulso/parking/lamp/telemetry' }),
      publishPacket({ topic: 'nowhere' }),
      // Aedes puts a packet that is out of place into its error.
      connectPacket({ username: TOKEN, password: SECRET }),
      Buffer.of(0x30, 0xff, 0xff, 0xff, 0x7f),
    ]
    for (const packet of rude) {
      const { device } = await connect(door, { username: TOKEN })
      device.send(packet)
      await device.closed()
    }
    const will = { topic: 'pulso/parking/lamp/presence', payload: 'offline' }
    assert.equal(await codeOf(door, { username: TOKEN, will }), 5)
    assert.equal(await codeOf(door, { username: TOKEN, clientId: 'x'.repeat(300) }), 2)
    // Somebody's token with a slip in it is worth hiding as well.
    assert.equal(await codeOf(door, { username: `${TOKEN}x` }), REFUSED)
    const { device } = await connect(door, { username: TOKEN })
    device.send(publishPacket({ topic: TOPIC }))
    await device.next('puback')

    assert.ok(door.logged.some(({ username }) => username === 'meter'))
    assert.ok(door.logged.some(({ usernameHash }) => usernameHash === hashSecret(`${TOKEN}x`).slice(0, 12)))
    for (const secret of [TOKEN, SECRET, JSON.stringify([...Buffer.from(SECRET)]).slice(1, -1)]) {
      assert.ok(!JSON.stringify(door.logged).includes(secret))
    }
    assert.ok(!(await door.metrics.metrics()).includes(TOKEN))
    assert.ok(!JSON.stringify(await door.kept(1)).includes(TOKEN))
  })

  test('holds one session per client id, as a name does', async (context) => {
    const door = await openDoorForToken(context)
    const { device: first } = await connect(door, { username: TOKEN, clientId: 'one' })
    await connect(door, { username: TOKEN, clientId: 'one' })
    await first.closed()
    assert.equal(door.broker.connections(), 1)
  })

  test('that is revoked closes its connections at once', async (context) => {
    const door = await openDoorForToken(context)
    const { device } = await connect(door, { username: TOKEN })
    await door.registry.removeCredential('meter')
    assert.equal(door.broker.disconnect('meter'), 1)
    await device.closed()
    assert.equal(await codeOf(door, { username: TOKEN }), REFUSED)
  })
})

describe('a secret before the last rotation', () => {
  const holders: [string, ConnectFields, ConnectFields][] = [
    ['password', { username: 'bay2', password: OLD_SECRET }, { username: 'bay2', password: SECRET }],
    ['token', { username: OLD_TOKEN }, { username: TOKEN }],
  ]

  async function openRotated(...[context, options]: Parameters<typeof openDoor>): Promise<Door> {
    const untilMs = (options?.clock?.now() ?? Date.now()) + 60_000
    const door = await openDoor(context, options)
    const previous = (secret: string) => ({ previous: { secretHash: hashSecret(secret), untilMs } })
    await door.addCredential('bay2', { type: 'sensor', sensorId: 'bay2' }, previous(OLD_SECRET))
    await door.addCredential('meter', SCOPE, {
      access: 'token',
      secretHash: hashSecret(TOKEN),
      ...previous(OLD_TOKEN),
    })
    return door
  }

  for (const [access, old, current] of holders) {
    test(`counts until its time, and not a moment longer (${access})`, async (context) => {
      let nowMs = 1_000_000
      const door = await openRotated(context, { clock: { now: () => nowMs } })
      assert.equal(await codeOf(door, old), 0)
      nowMs += 59_999
      assert.equal(await codeOf(door, old), 0)
      nowMs += 1
      assert.equal(await codeOf(door, old), REFUSED)
      assert.equal(await codeOf(door, current), 0)
    })
  }

  test('ends its connections when its time has come, and leaves those of the new one', async (context) => {
    const door = await openDoor(context)
    await door.registry.setSecret('bay', hashSecret('new'), Date.now() + 1_500)
    const { device: old, code } = await connect(door, { username: 'bay', password: SECRET, clientId: 'old' })
    assert.equal(code, 0)
    const { device: fresh } = await connect(door, { username: 'bay', password: 'new', clientId: 'new' })
    await old.closed()
    assert.equal(fresh.isClosed(), false)
    assert.equal(await door.count('pulso_connections_ended_total{reason="overlap-ended"}'), 1)
  })
})

describe('a credential that asks for a certificate', () => {
  test('is given to nobody without one', async (context) => {
    const door = await openDoor(context)
    await door.addCredential('vault', SCOPE, { access: 'certificate', secretHash: null })
    const attempts: ConnectFields[] = [
      { username: 'vault' },
      { username: 'vault', password: '' },
      { username: 'vault', password: SECRET },
      { username: 'vault', password: 'null' },
      { username: '' },
    ]
    for (const fields of attempts) assert.equal(await codeOf(door, fields), REFUSED, JSON.stringify(fields))
  })
})

test('who is revoked while being looked up does not get in', async (context) => {
  const asked = Promise.withResolvers<undefined>()
  const answered = Promise.withResolvers<undefined>()
  let isFirst = true
  const door = await openDoor(context, {
    wrapCredentials: (credentials) => ({
      ...credentials,
      async findCredential(name) {
        const found = await credentials.findCredential(name)
        if (isFirst) {
          isFirst = false
          asked.resolve(undefined)
          await answered.promise
        }
        return found
      },
    }),
  })
  const device = await door.device()
  device.send(connectPacket({ username: 'bay', password: SECRET }))
  await asked.promise
  await door.registry.removeCredential('bay')
  door.broker.disconnect('bay')
  answered.resolve(undefined)
  assert.equal((await device.next('connack'))[1], REFUSED)
  await waitFor(() => door.broker.connections() === 0, { what: 'nobody to be in' })
})
