import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { connect as connectTcp } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { systemClock, type AppError } from '@pulso/model'
import { pino } from 'pino'
import { Registry as MetricsRegistry } from 'prom-client'
import { skipWithout } from '../../test/support/programs.ts'
import { waitFor } from '../../test/support/wait.ts'
import { createBroker } from '../src/index.ts'
import { createAuthority, readPair, type Authority } from './support/certificates.ts'
import { connectPacket, deviceOn, lengthBytes, publishPacket, type ConnectFields } from './support/device.ts'
import { openDoor, SECRET, type Door, type DoorOptions } from './support/door.ts'

const skip = skipWithout('openssl')
const REFUSED = 4
const VAULT_TOPIC = 'pulso/parking/vault/telemetry'

interface TlsDoor extends Door {
  authority: Authority
  caFile: string
  /** A raw TLS connection; `own` is the client's certificate. */
  secure(own?: { cert: Buffer; key: Buffer }, options?: ConnectionOptions): Promise<TLSSocket>
  /** The CONNACK's code for a CONNECT over it; -1 when the connection is closed instead. */
  codeOf(fields: ConnectFields, own?: { cert: Buffer; key: Buffer }): Promise<number | undefined>
}

/** A door with TLS too; `asks` for client certificates. It knows `vault`, which may come in with a certificate alone. */
async function openTlsDoor(
  context: TestContext,
  { asks, ...options }: DoorOptions & { asks?: 'optional' | 'required' } = {},
): Promise<TlsDoor> {
  const authority = await createAuthority(context)
  const files = await authority.issue('localhost')
  const door = await openDoor(context, {
    ...options,
    tls: { port: 0, ...files, caFile: asks ? authority.caFile : null, clients: asks ?? 'optional' },
  })
  await door.addCredential(
    'vault',
    { type: 'sensor', sensorId: 'vault' },
    { access: 'certificate', secretHash: null },
  )
  const ca = await readFile(authority.caFile)

  const secure: TlsDoor['secure'] = async (own, more) => {
    const port = door.ports.tlsPort ?? 0
    const socket = connectTls({ port, host: '127.0.0.1', ca, servername: 'localhost', ...own, ...more })
    socket.on('error', () => undefined)
    door.closing(() => socket.destroy())
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve)
      socket.once('error', reject)
    })
    return socket
  }
  return {
    ...door,
    authority,
    caFile: authority.caFile,
    secure,
    async codeOf(fields, own) {
      const device = deviceOn(await secure(own))
      device.send(connectPacket(fields))
      return device.next('connack').then(
        (connack) => connack[1],
        () => -1,
      )
    },
  }
}

describe('MQTT over TLS', { skip }, () => {
  test('takes what MQTT.js sends, and keeps it', async (context) => {
    const door = await openTlsDoor(context)
    const client = await door.client('bay', {
      protocol: 'mqtts',
      host: 'localhost',
      port: door.ports.tlsPort ?? 0,
      ca: await readFile(door.caFile),
    })
    await client.publishAsync('pulso/parking/bay/telemetry', '{"status":"free"}', { qos: 1 })
    assert.equal((await door.kept(1))[0]?.credential, 'bay')
    assert.equal(await door.codeOf({ username: 'bay', password: 'wrong' }), REFUSED)
  })

  test('speaks nothing older than TLS 1.2', async (context) => {
    const door = await openTlsDoor(context)
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    await assert.rejects(door.secure(undefined, old), /protocol version|unsupported protocol/i)
    const socket = await door.secure(undefined, { maxVersion: 'TLSv1.2' })
    assert.equal(socket.getProtocol(), 'TLSv1.2')
  })

  test('guards the stream within as it does the one without: 200 MB announced before CONNECT', async (context) => {
    const door = await openTlsDoor(context)
    const device = deviceOn(await door.secure())
    device.send(Buffer.concat([Buffer.of(0x10), lengthBytes(200 * 1_048_576)]))
    await device.closed()
    assert.equal(await door.count('pulso_connections_refused_total{reason="packet-too-large"}'), 1)
  })

  test('ends a handshake that does not go on, and counts it as half-open until then', async (context) => {
    const door = await openTlsDoor(context, { limits: { connectTimeoutMs: 200 } })
    const socket = connectTcp(door.ports.tlsPort ?? 0, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(Buffer.from('16030100f8010000f40303', 'hex'))
    await waitFor(async () => (await door.count('pulso_connections_half_open')) === 1, {
      what: 'the handshake to be counted',
    })
    await once(socket, 'close')
    assert.equal(await door.count('pulso_connections_refused_total{reason="connect-timeout"}'), 1)
    assert.equal(await door.count('pulso_connections_half_open'), 0)
    assert.equal(await door.count('pulso_connections_refused_total{reason="tls"}'), 0)
  })

  test('ends a client that finishes its handshake and then says nothing', async (context) => {
    const door = await openTlsDoor(context, { limits: { connectTimeoutMs: 200 } })
    await deviceOn(await door.secure()).closed()
    assert.equal(await door.count('pulso_connections_refused_total{reason="connect-timeout"}'), 1)
  })

  test('sends whoever speaks no TLS away, and serves the others', async (context) => {
    const door = await openTlsDoor(context)
    const socket = connectTcp(door.ports.tlsPort ?? 0, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.end(connectPacket({ username: 'bay', password: SECRET }))
    await once(socket, 'close')
    await waitFor(async () => (await door.count('pulso_connections_refused_total{reason="tls"}')) === 1, {
      what: 'the refusal to be counted',
    })
    assert.equal(await door.codeOf({ username: 'bay', password: SECRET }), 0)
  })
})

describe('files that do not serve', { skip }, () => {
  test('are each named, before anything listens', async (context) => {
    const authority = await createAuthority(context)
    const { certFile, keyFile } = await authority.issue('localhost')
    const other = await authority.issue('localhost')
    const nonsense = `${certFile}.txt`
    await writeFile(nonsense, 'no certificate')
    const missing = `${certFile}.missing`
    const cases: [Partial<{ certFile: string; keyFile: string; caFile: string }>, RegExp][] = [
      [{ certFile: missing }, new RegExp(`certificate ${missing} cannot be read.*ENOENT`)],
      [{ keyFile: missing }, new RegExp(`private key ${missing} cannot be read`)],
      [{ caFile: missing }, new RegExp(`authority ${missing} cannot be read`)],
      [{ certFile: nonsense }, new RegExp(`certificate ${nonsense} is none`)],
      [{ keyFile: nonsense }, new RegExp(`private key ${nonsense} is none`)],
      [{ caFile: nonsense }, new RegExp(`authority ${nonsense} is none`)],
      [
        { keyFile: other.keyFile },
        new RegExp(`private key ${other.keyFile} does not belong to the certificate ${certFile}`),
      ],
    ]
    const door = await openDoor(context)
    for (const [wrong, message] of cases) {
      const broker = createBroker({
        host: '127.0.0.1',
        port: 0,
        tls: { port: 0, certFile, keyFile, caFile: null, clients: 'optional', ...wrong },
        journal: door.writer,
        credentials: door.registry,
        clock: systemClock,
        logger: pino({ level: 'silent' }),
        metrics: new MetricsRegistry(),
      })
      await assert.rejects(broker.start(), (error: AppError) => {
        assert.equal(error.code, 'invalid-tls-files')
        assert.match(error.message, message)
        return true
      })
    }
  })
})

describe('a client certificate', { skip }, () => {
  test('that is verified says who it is, with the username left out or the same', async (context) => {
    const door = await openTlsDoor(context, { asks: 'optional' })
    const own = await readPair(await door.authority.issue('vault'))
    assert.equal(await door.codeOf({ clientId: '' }, own), 0)
    assert.equal(await door.codeOf({ username: '', clientId: 'a' }, own), 0)
    const device = deviceOn(await door.secure(own))
    device.send(connectPacket({ username: 'vault', clientId: 'b' }), publishPacket({ topic: VAULT_TOPIC }))
    await device.next('puback')
    assert.equal((await door.kept(1))[0]?.credential, 'vault')
    // Another's name is not lent to it, nor does it open another's sensor.
    assert.equal(await door.codeOf({ username: 'bay' }, own), REFUSED)
    device.send(publishPacket({ topic: 'pulso/parking/bay/telemetry' }))
    await device.closed()
  })

  test('serves a credential with a password as well, and is not asked of it', async (context) => {
    const door = await openTlsDoor(context, { asks: 'optional' })
    const own = await readPair(await door.authority.issue('bay'))
    assert.equal(await door.codeOf({ username: 'bay' }, own), 0)
    assert.equal(await door.codeOf({ username: 'bay', password: SECRET }), 0)
    assert.equal(await door.codeOf({ username: 'bay', password: 'wrong' }), REFUSED)
  })

  test('of another authority, of one’s own making or expired is worth nothing', async (context) => {
    const door = await openTlsDoor(context, { asks: 'optional' })
    const stranger = await createAuthority(context)
    const foreign = await readPair(await stranger.issue('vault'))
    const expired = await readPair(await door.authority.issue('vault', -1))
    for (const own of [foreign, expired, undefined]) {
      assert.equal(await door.codeOf({ username: 'vault' }, own), REFUSED)
      assert.equal(await door.codeOf({ username: 'vault', password: '' }, own), REFUSED)
      assert.equal(await door.codeOf({}, own), REFUSED)
    }
    // With its secret, a password credential comes in all the same: nobody required a certificate.
    assert.equal(await door.codeOf({ username: 'bay', password: SECRET }, foreign), 0)
  })

  test('of a name that nobody has opens nothing', async (context) => {
    const door = await openTlsDoor(context, { asks: 'optional' })
    const own = await readPair(await door.authority.issue('nobody'))
    assert.equal(await door.codeOf({}, own), REFUSED)
    assert.equal(await door.codeOf({ username: 'vault' }, own), REFUSED)
  })

  test('that is required is required of everyone', async (context) => {
    const door = await openTlsDoor(context, { asks: 'required' })
    const stranger = await createAuthority(context)
    const foreign = await readPair(await stranger.issue('bay'))
    const own = await readPair(await door.authority.issue('bay'))
    for (const refused of [undefined, foreign]) {
      assert.equal(await door.codeOf({ username: 'bay', password: SECRET }, refused), -1)
    }
    assert.equal(await door.count('pulso_connections_refused_total{reason="client-certificate"}'), 2)
    assert.equal(await door.codeOf({ username: 'bay' }, own), 0)
  })

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`cannot be left out by resuming a session (${maxVersion})`, async (context) => {
      const door = await openTlsDoor(context, { asks: 'required' })
      const own = await readPair(await door.authority.issue('vault'))
      const first = await door.secure(own, { maxVersion })
      let session = first.getSession()
      first.on('session', (newer) => (session = newer))
      const device = deviceOn(first)
      device.send(connectPacket({ username: 'vault' }))
      assert.equal((await device.next('connack'))[1], 0)
      assert.ok(session)
      // With TLS 1.2 the refusal comes before the client has finished its handshake.
      const again = await door.secure(undefined, { maxVersion, session }).catch(() => undefined)
      assert.ok(!again?.isSessionReused())
      if (again) await deviceOn(again).closed()
      const refusals = 'pulso_connections_refused_total{reason="client-certificate"}'
      await waitFor(async () => (await door.count(refusals)) === 1, { what: 'the refusal to be counted' })
    })
  }

  test('is worth nothing once its credential is revoked, and its connections end at once', async (context) => {
    const door = await openTlsDoor(context, { asks: 'optional' })
    const own = await readPair(await door.authority.issue('vault'))
    const device = deviceOn(await door.secure(own))
    device.send(connectPacket({}))
    await device.next('connack')
    await door.registry.removeCredential('vault')
    assert.equal(door.broker.disconnect('vault'), 1)
    await device.closed()
    assert.equal(await door.codeOf({}, own), REFUSED)
  })
})
