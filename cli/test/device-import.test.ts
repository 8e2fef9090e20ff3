import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hashSecret } from '@pulso/stores'
import type { DeviceToAdd } from '../src/administration.ts'
import { DEV_EUI, NOW_MS, openAdministration, toRows } from './support/administration.ts'

describe('an import', () => {
  const city = [
    { id: 'bay-1', kind: 'parking', position: { lat: 43.4, lon: -3.8 } },
    { id: 'bay-2', kind: 'parking', access: 'token', secret: 'burnt-in-token' },
    { id: 'air-1', kind: 'environment', devEui: DEV_EUI.toLowerCase(), codec: 'some-codec' },
    { id: 'gate', gatewayPrefix: 'north-' },
    { id: 'lamp-1', kind: 'lighting', access: 'certificate' },
  ] as const satisfies DeviceToAdd[]

  it('adds sensors, gateways and LoRaWAN devices, and tells only the secrets that it made', async (context) => {
    const { devices, registry } = await openAdministration(context)
    assert.deepEqual(await devices.checkImport(toRows(...city)), { mistakes: [], newSecrets: 2 })
    assert.deepEqual(await devices.listDevices(), [])
    const { secrets, ...counts } = await devices.importDevices(toRows(...city))
    assert.deepEqual(counts, { added: 5, updated: 0, unchanged: 0, otherSecretsKept: [] })
    assert.deepEqual(
      secrets.map(({ device }) => device),
      ['bay-1', 'gate'],
    )
    assert.equal((await registry.findToken(hashSecret('burnt-in-token')))?.username, 'bay-2')
    assert.equal((await registry.findSensorByDevEui(DEV_EUI))?.lorawan?.codec, 'some-codec')
  })

  it('again changes nothing, and with another place the place alone', async (context) => {
    const { devices, registry } = await openAdministration(context)
    await devices.importDevices(toRows(...city))
    const credentials = await registry.listCredentials()
    const again = await devices.importDevices(toRows(...city))
    assert.deepEqual([again.added, again.updated, again.unchanged], [0, 0, 5])
    assert.deepEqual(again.secrets, [])
    const moved = await devices.importDevices(toRows({ id: 'bay-1', position: { lat: 1, lon: 2 } }))
    assert.equal(moved.updated, 1)
    assert.deepEqual((await registry.getSensor('bay-1'))?.position, { lat: 1, lon: 2 })
    assert.deepEqual(await registry.listCredentials(), credentials)
  })

  it('keeps a secret that was replaced since, and says whose', async (context) => {
    const { devices, registry } = await openAdministration(context)
    await devices.importDevices(toRows(...city))
    await devices.rotateDevice('bay-2')
    const credential = await registry.findCredential('bay-2')
    const again = await devices.importDevices(toRows(...city))
    assert.deepEqual(again.otherSecretsKept, ['bay-2'])
    assert.deepEqual(await registry.findCredential('bay-2'), credential)
  })

  it('places sensors that speak through a gateway without giving them a credential', async (context) => {
    const { devices, registry } = await openAdministration(context)
    const known = { kind: 'parking', name: null, position: null, attributes: {}, createdAtMs: NOW_MS }
    await registry.putSensors([{ id: 'north-1', ...known }])
    const result = await devices.importDevices(toRows({ id: 'north-1', position: { lat: 1, lon: 2 } }))
    assert.deepEqual([result.updated, result.secrets], [1, []])
    assert.equal(await registry.findCredential('north-1'), undefined)
  })

  it('tells every mistake with its line, and imports nothing', async (context) => {
    const { devices, registry } = await openAdministration(context)
    await devices.importDevices(toRows(...city))
    const wrong = toRows(
      { id: 'new-1', kind: 'parking' },
      { id: 'new-2', kind: 'bins' },
      { id: 'bay-1', kind: 'lighting' },
      { id: 'bay-2', access: 'password' },
      { id: 'gate', gatewayPrefix: 'south-' },
      { id: 'new-3', kind: 'environment', devEui: DEV_EUI },
      { id: 'new-4', kind: 'environment', devEui: '1'.repeat(16), codec: 'no-codec' },
    )
    const { mistakes } = await devices.checkImport(wrong)
    assert.deepEqual(
      mistakes.map((mistake) => mistake.split(':')[0]),
      ['line 3', 'line 4', 'line 5', 'line 6', 'line 7', 'line 8'],
    )
    await assert.rejects(devices.importDevices(wrong), { code: 'invalid-import' })
    assert.equal(await registry.getSensor('new-1'), undefined)
  })
})
