import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HOUR_MS, SECOND_MS, toIsoTime } from '@pulso/model'
import { hashSecret } from '@pulso/stores'
import type { DeviceToAdd } from '../src/administration.ts'
import { DEV_EUI, NOW_MS, openAdministration } from './support/administration.ts'

describe('adding a device', () => {
  it('gives a password that is kept as a hash alone', async (context) => {
    const { devices, registry } = await openAdministration(context)
    const added = await devices.addDevice({ id: 'bay-1', kind: 'parking', position: { lat: 43, lon: -3 } })
    assert.ok(added.access === 'password')
    assert.equal(added.username, 'bay-1')
    assert.equal(added.password.length, 40)
    assert.equal((await registry.findCredential('bay-1'))?.secretHash, hashSecret(added.password))
    assert.deepEqual((await registry.getSensor('bay-1'))?.position, { lat: 43, lon: -3 })
  })

  it('gives a token that is used as the username, and is found by its hash', async (context) => {
    const { devices, registry } = await openAdministration(context)
    const added = await devices.addDevice({ id: 'bay-1', kind: 'parking', access: 'token' })
    assert.ok(added.access === 'token')
    assert.deepEqual(
      { username: added.username, password: added.password },
      { username: added.token, password: '' },
    )
    assert.equal((await registry.findToken(hashSecret(added.token)))?.username, 'bay-1')
  })

  it('makes no secret for a certificate', async (context) => {
    const { devices, registry } = await openAdministration(context)
    const added = await devices.addDevice({ id: 'bay-1', kind: 'parking', access: 'certificate' })
    assert.deepEqual(added, { device: 'bay-1', access: 'certificate', commonName: 'bay-1' })
    assert.equal((await registry.findCredential('bay-1'))?.secretHash, null)
  })

  it('takes a DevEUI as labels spell it, without a credential unless one is asked for', async (context) => {
    const { devices, registry } = await openAdministration(context)
    const spelled = { kind: 'environment', devEui: '00-11-22-33-44-55-66-aa', codec: 'some-codec' }
    assert.deepEqual(await devices.addDevice({ id: 'air-1', ...spelled }), {
      device: 'air-1',
      access: 'none',
      devEui: DEV_EUI,
      codec: 'some-codec',
    })
    assert.equal(await registry.findCredential('air-1'), undefined)
    const added = await devices.addDevice({ id: 'air-1', ...spelled, access: 'password' })
    assert.equal(added.access, 'password')
    assert.equal((await registry.findSensorByDevEui(DEV_EUI))?.id, 'air-1')
  })

  it('says all that is wrong at once, and changes nothing', async (context) => {
    const { devices, registry } = await openAdministration(context)
    const wrong: DeviceToAdd = {
      id: 'no id',
      kind: 'bins',
      position: { lat: 91, lon: 0 },
      devEui: '12',
      codec: 'x',
    }
    await assert.rejects(devices.addDevice(wrong), (error: { code: string; details: string[] }) => {
      assert.equal(error.code, 'invalid-device')
      assert.deepEqual(
        ['not an id', 'the kind is', 'the latitude', 'not a DevEUI', 'the codec is'].filter(
          (words) => !error.details.some((detail) => detail.includes(words)),
        ),
        [],
      )
      return true
    })
    assert.deepEqual((await registry.sensorsSince(0)).sensors, [])
  })

  it('refuses a second credential, another kind, and a DevEUI or token of another device', async (context) => {
    const { devices, registry } = await openAdministration(context)
    await devices.addDevice({
      id: 'a',
      kind: 'parking',
      devEui: DEV_EUI,
      access: 'token',
      secret: 'token-of-a',
    })
    const refused: [DeviceToAdd, RegExp][] = [
      [{ id: 'a', kind: 'parking' }, /rotate/],
      [{ id: 'a', kind: 'lighting', access: 'none' }, /is of the kind 'parking'/],
      [{ id: 'b', kind: 'parking', devEui: DEV_EUI }, /is the sensor 'a'/],
      [{ id: 'b', kind: 'parking', access: 'token', secret: 'token-of-a' }, /is that of 'a'/],
      [{ id: 'b' }, /needs its kind/],
      [{ id: 'b', gatewayPrefix: 'b-', kind: 'parking' }, /neither kind nor place/],
      [{ id: 'b', kind: 'parking', secret: 'short' }, /8 to 256/],
    ]
    for (const [device, message] of refused) await assert.rejects(devices.addDevice(device), { message })
    assert.equal(await registry.getSensor('b'), undefined)
  })

  it('leaves what is known of a sensor where nothing is said of it', async (context) => {
    const { devices, registry } = await openAdministration(context)
    const known = { name: 'Bay', position: { lat: 1, lon: 2 }, attributes: { capacity: 4 } }
    await registry.putSensors([{ id: 'a', kind: 'parking', createdAtMs: 1, ...known }])
    await devices.addDevice({ id: 'a', kind: 'parking', position: { lat: 3, lon: 4 } })
    assert.deepEqual(await registry.getSensor('a'), {
      id: 'a',
      kind: 'parking',
      createdAtMs: 1,
      ...known,
      position: { lat: 3, lon: 4 },
    })
  })
})

describe('a secret', () => {
  it('that is replaced ends at once, with its connections', async (context) => {
    const { devices, disconnected, registry } = await openAdministration(context)
    const before = await devices.addDevice({ id: 'a', kind: 'parking' })
    const after = await devices.rotateDevice('a')
    assert.ok(before.access === 'password' && after.access === 'password')
    assert.notEqual(after.password, before.password)
    assert.equal(after.previousUntil, null)
    assert.deepEqual(disconnected, ['a'])
    const credential = await registry.findCredential('a')
    assert.equal(credential?.secretHash, hashSecret(after.password))
    assert.equal(credential.previous, null)
  })

  it('that is replaced with an overlap is good until its end, and its connections stay', async (context) => {
    const { advance, devices, disconnected, registry } = await openAdministration(context)
    const before = await devices.addDevice({ id: 'a', kind: 'parking', access: 'token' })
    assert.ok(before.access === 'token')
    const after = await devices.rotateDevice('a', HOUR_MS)
    assert.equal(after.access, 'token')
    assert.equal(after.previousUntil, toIsoTime(NOW_MS + HOUR_MS))
    assert.deepEqual(disconnected, [])
    const previous = { secretHash: hashSecret(before.token), untilMs: NOW_MS + HOUR_MS }
    assert.deepEqual((await registry.findCredential('a'))?.previous, previous)
    assert.equal((await devices.listDevices())[0]?.previousUntil, toIsoTime(NOW_MS + HOUR_MS))
    advance(HOUR_MS)
    assert.equal((await devices.listDevices())[0]?.previousUntil, null)
    assert.equal((await devices.findDevice('a'))?.credential?.previousUntil, null)
  })

  it('is replaced only where there is one, with a sensible overlap', async (context) => {
    const { devices } = await openAdministration(context)
    await devices.addDevice({ id: 'a', kind: 'parking', access: 'certificate' })
    await devices.addDevice({ id: 'b', kind: 'parking' })
    await assert.rejects(devices.rotateDevice('a'), { code: 'no-secret' })
    await assert.rejects(devices.rotateDevice('c'), { code: 'unknown-credential' })
    for (const overlapMs of [0, SECOND_MS - 1, 31 * 24 * HOUR_MS, NaN]) {
      await assert.rejects(devices.rotateDevice('b', overlapMs), { code: 'invalid-overlap' })
    }
  })

  it('is never told again', async (context) => {
    const { devices } = await openAdministration(context)
    const secret = 'a-burnt-in-token'
    await devices.addDevice({ id: 'a', kind: 'parking', access: 'token', secret })
    const told = JSON.stringify([await devices.listDevices(), await devices.findDevice('a')])
    for (const hidden of [secret, hashSecret(secret)]) assert.ok(!told.includes(hidden))
  })
})

describe('revoking', () => {
  it('ends the credential and the LoRaWAN device, and leaves the sensor', async (context) => {
    const { devices, disconnected, registry } = await openAdministration(context)
    await devices.addDevice({ id: 'a', kind: 'environment', devEui: DEV_EUI, access: 'token' })
    assert.deepEqual(await devices.revokeDevice('a'), { username: 'a' })
    assert.deepEqual(disconnected, ['a'])
    assert.equal(await registry.findSensorByDevEui(DEV_EUI), undefined)
    assert.deepEqual(await devices.listDevices(), [])
    assert.equal((await devices.findDevice('a'))?.sensor?.kind, 'environment')
    await assert.rejects(devices.revokeDevice('a'), { code: 'unknown-credential' })
  })
})

describe('what is known of a device', () => {
  it('is listed: gateways, sensors with their access, and LoRaWAN devices without any', async (context) => {
    const { devices, registry } = await openAdministration(context)
    await devices.addDevice({ id: 'gate', gatewayPrefix: 'north-' })
    await devices.addDevice({ id: 'bay', kind: 'parking', access: 'certificate' })
    await devices.addDevice({ id: 'air', kind: 'environment', devEui: DEV_EUI })
    await registry.putSensors([
      { id: 'north-1', kind: 'parking', name: null, position: null, attributes: {}, createdAtMs: NOW_MS },
    ])
    assert.deepEqual(
      (await devices.listDevices()).map(({ device, access, kind, lorawan }) => [
        device,
        access,
        kind,
        lorawan?.devEui,
      ]),
      [
        ['bay', 'certificate', 'parking', undefined],
        ['gate', 'password', null, undefined],
        ['air', 'none', 'environment', DEV_EUI],
      ],
    )
  })

  it('tells when it was last heard and why its last message was refused', async (context) => {
    const { devices, registry } = await openAdministration(context)
    await devices.addDevice({ id: 'a', kind: 'parking' })
    assert.equal((await devices.findDevice('a'))?.lastReading, null)
    const state = { sensorId: 'a', kind: 'parking', hourly: {}, newest: {}, window: {} }
    const values = { status: { value: 'free', timeMs: NOW_MS } }
    await registry.commitIngest({
      position: 1,
      newSensors: [],
      states: [{ ...state, timeMs: NOW_MS, receivedAtMs: NOW_MS + 5, presence: 'online', values }],
      quarantine: (['clock', 'invalid-json'] as const).map((reason) => ({
        receivedAtMs: NOW_MS,
        reason,
        detail: `It is ${reason}`,
        topic: 'pulso/parking/a/telemetry',
        sensorId: 'a',
        metric: null,
        payload: Buffer.from('{'),
      })),
    })
    const detail = await devices.findDevice('a')
    assert.equal(detail?.presence, 'online')
    assert.deepEqual(detail.lastReading, {
      time: toIsoTime(NOW_MS),
      receivedAt: toIsoTime(NOW_MS + 5),
      values: { status: 'free' },
    })
    assert.equal(detail.quarantine.count, 2)
    assert.equal(detail.quarantine.newest?.detail, 'It is invalid-json')
    assert.equal(await devices.findDevice('nobody'), undefined)
  })
})
