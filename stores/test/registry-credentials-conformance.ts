import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Sensor } from '@pulso/model'
import type { Credential, Registry } from '@pulso/stores'
import { credential, NOW_MS, sensor } from './support/registry-samples.ts'

type Start = (context: TestContext) => Promise<() => Promise<Registry>>

export function testCredentials(start: Start): void {
  test('keeps credentials of devices and gateways', async (context) => {
    const registry = await (await start(context))()
    const device = credential('device-1')
    const gateway: Credential = { ...credential('gateway'), scope: { type: 'gateway', prefix: 'north-' } }
    await registry.addCredential(gateway)
    await registry.addCredential(device)
    assert.deepEqual(await registry.findCredential('gateway'), gateway)
    assert.equal(await registry.findCredential('nobody'), undefined)
    assert.deepEqual(await registry.listCredentials(), [device, gateway])
    await assert.rejects(registry.addCredential(device), { code: 'credential-exists', status: 409 })
  })

  test('replaces a secret and removes a credential', async (context) => {
    const registry = await (await start(context))()
    await registry.addCredential(credential('d'))
    await registry.setSecret('d', 'other')
    assert.deepEqual(await registry.findCredential('d'), { ...credential('d'), secretHash: 'other' })
    await registry.setSecret('d', 'third', NOW_MS)
    assert.deepEqual(await registry.findCredential('d'), {
      ...credential('d'),
      secretHash: 'third',
      previous: { secretHash: 'other', untilMs: NOW_MS },
    })
    assert.equal(await registry.removeCredential('d'), true)
    assert.equal(await registry.removeCredential('d'), false)
    await assert.rejects(registry.setSecret('d', 'x'), { code: 'unknown-credential', status: 404 })
  })
}

export function testTokensAndDevEuis(start: Start): void {
  test('finds a token by the hash of its secret or of the one before, and no password by its hash', async (context) => {
    const registry = await (await start(context))()
    const token: Credential = { ...credential('t'), access: 'token', secretHash: 'first' }
    await registry.addCredential(token)
    await registry.addCredential({ ...credential('p'), secretHash: 'password' })
    assert.deepEqual(await registry.findToken('first'), token)
    assert.equal(await registry.findToken('password'), undefined)
    await registry.setSecret('t', 'second', NOW_MS)
    assert.equal((await registry.findToken('first'))?.username, 't')
    assert.equal((await registry.findToken('second'))?.username, 't')
    await registry.setSecret('t', 'third')
    assert.equal(await registry.findToken('second'), undefined)
  })

  test('refuses a token that is another device’s, also as its previous one', async (context) => {
    const registry = await (await start(context))()
    const token = (username: string, secretHash: string): Credential => ({
      ...credential(username),
      access: 'token',
      secretHash,
    })
    await registry.addCredential(token('a', 'first'))
    await registry.setSecret('a', 'second', NOW_MS)
    for (const hash of ['first', 'second']) {
      await assert.rejects(registry.addCredential(token('b', hash)), { code: 'token-taken', status: 409 })
    }
    await registry.addCredential(token('b', 'third'))
  })

  test('adds sensors with their credentials, all or none', async (context) => {
    const registry = await (await start(context))()
    await registry.addDevices({ sensors: [sensor('s1')], credentials: [credential('s1')] })
    assert.deepEqual(await registry.getSensor('s1'), sensor('s1'))
    assert.deepEqual(await registry.findCredential('s1'), credential('s1'))

    const moved = { ...sensor('s1'), position: { lat: 1, lon: 2 } }
    const batch = { sensors: [moved, sensor('s2')], credentials: [credential('s2'), credential('s1')] }
    await assert.rejects(registry.addDevices(batch), { code: 'credential-exists', status: 409 })
    assert.deepEqual(await registry.getSensor('s1'), sensor('s1'))
    assert.equal(await registry.getSensor('s2'), undefined)
    assert.equal(await registry.findCredential('s2'), undefined)

    await registry.addDevices({ ...batch, credentials: [credential('s2')] })
    assert.deepEqual(await registry.getSensor('s1'), moved)
  })

  test('keeps a sensor’s LoRaWAN device, and refuses it to a second sensor', async (context) => {
    const registry = await (await start(context))()
    const known: Sensor = { ...sensor('s1'), lorawan: { devEui: '00112233445566AA', codec: 'some-codec' } }
    await registry.putSensors([known])
    assert.deepEqual(await registry.getSensor('s1'), known)
    assert.deepEqual(await registry.findSensorByDevEui('00112233445566AA'), known)
    assert.equal(await registry.findSensorByDevEui('FF112233445566AA'), undefined)
    await assert.rejects(registry.putSensors([{ ...known, id: 's2' }]), {
      code: 'dev-eui-taken',
      status: 409,
    })
    const { revision } = await registry.sensorsSince(0)
    await registry.putSensors([{ ...known, lorawan: { devEui: '00112233445566AA', codec: null } }])
    assert.equal((await registry.sensorsSince(revision)).sensors.length, 1)
  })
}
