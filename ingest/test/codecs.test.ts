import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { defineCodec, loadCodecs, type Codec } from '../src/index.ts'
import { createFolder, startCity } from './support/city.ts'

/** A made-up device: this text is all there is of it. */
const BIN_EYE = `
export default {
  name: 'bin-eye-2',
  title: 'Bin Eye 2',
  decode({ fPort, bytes }) {
    if (fPort !== 4) throw new Error('only port 4 is used')
    return { data: { car: bytes[0] === 1, volts: bytes[1] / 10 }, errors: bytes.length > 2 ? ['a new field'] : [] }
  },
  toMetrics: ({ car }) => ({ status: car ? 'occupied' : 'free' }),
}
`
const DEV_EUI = '0011223344556677'
const TOPIC = `application/1/device/${DEV_EUI}/event/up`

const toUplink = (fPort: number, ...bytes: number[]): object => ({
  deviceInfo: { devEui: DEV_EUI },
  fPort,
  data: Buffer.from(bytes).toString('base64'),
})

describe('codecs', () => {
  it('of the platform are there without being named anywhere', async () => {
    const names = [...(await loadCodecs(null)).keys()]
    assert.deepEqual(names, [
      'milesight-em300-th',
      'milesight-em500-co2',
      'milesight-ws302',
      'nas-ul20xx-1-0',
      'nas-ul20xx-1-1',
      'nwave-g4-ncc-sm',
      'nwave-g4-nps-sm',
    ])
  })

  it('of the city are one file each: its device passes from the uplink to the readings', async (context) => {
    const folder = await createFolder(context)
    await mkdir(join(folder, 'codecs'))
    await writeFile(join(folder, 'codecs/bin-eye.ts'), BIN_EYE)
    const codecs = await loadCodecs(join(folder, 'codecs'))
    const city = await startCity(context, { codecs })
    const lorawan = { devEui: DEV_EUI, codec: 'bin-eye-2' }
    const about = { kind: 'parking', name: null, position: null, attributes: {}, createdAtMs: 0 }
    await city.registry.putSensors([{ id: 'bay-1', ...about, lorawan }])

    await city.put(TOPIC, toUplink(4, 1, 33))
    assert.equal((await city.state('bay-1'))?.values.status?.value, 'occupied')
    await city.put(TOPIC, toUplink(4, 0, 33, 7))
    assert.equal((await city.state('bay-1'))?.values.status?.value, 'free')
    assert.equal(await city.count('pulso_metrics_unknown_total'), 1)

    await city.put(TOPIC, toUplink(5, 1))
    const [entry] = await city.quarantine()
    assert.equal(entry?.reason, 'invalid-payload')
    assert.match(entry.detail, /Bin Eye 2: only port 4 is used/)
  })

  it('that give anything but objects spoil their own message alone', async (context) => {
    const strange = [undefined, null, 5, 'x', [null], [[{}]]]
    const codecs = new Map<string, Codec>()
    for (const [index, result] of strange.entries()) {
      codecs.set(`c-${index}`, {
        name: `c-${index}`,
        title: 'Strange',
        decode: () => ({ data: {} }),
        toMetrics: () => result as never,
      })
    }
    codecs.set('c-6', {
      name: 'c-6',
      title: 'Strange',
      decode: () => undefined as never,
      toMetrics: () => ({}),
    })
    const city = await startCity(context, { codecs })
    for (const codec of codecs.keys()) {
      const lorawan = { devEui: DEV_EUI, codec }
      const about = { kind: 'parking', name: null, position: null, attributes: {}, createdAtMs: 0 }
      await city.registry.putSensors([{ id: 'bay-1', ...about, lorawan }])
      await city.put(TOPIC, toUplink(4, 1))
    }
    const entries = await city.quarantine()
    assert.deepEqual(
      entries.map(({ reason }) => reason),
      new Array(7).fill('invalid-payload'),
    )
    assert.ok(entries.every(({ detail }) => detail.startsWith('Strange: ')))
  })

  it('with mistakes stop the start, in words', async (context) => {
    const folder = await createFolder(context)
    const file = join(folder, 'mine.ts')
    const cases: [content: string, code: string, message: RegExp][] = [
      [
        'export default { name: "Big Name" }',
        'invalid-codec',
        /name must match.*title must.*decode must.*toMetrics must/,
      ],
      ['export const codec = 1', 'invalid-codec', /no default export/],
      ['export default', 'invalid-codec', /cannot be loaded/],
    ]
    for (const [index, [content, code, message]] of cases.entries()) {
      const own = join(folder, String(index))
      await mkdir(own)
      await writeFile(join(own, 'mine.ts'), content)
      await assert.rejects(loadCodecs(own), { code, message })
    }
    await writeFile(file, BIN_EYE.replace('bin-eye-2', 'nwave-g4-nps-sm'))
    await assert.rejects(loadCodecs(folder), { code: 'duplicate-codec' })
    await assert.rejects(loadCodecs(join(folder, 'nowhere')), {
      code: 'invalid-codec',
      message: /cannot be read/,
    })
    assert.throws(
      () => defineCodec({ name: '', title: '', decode: () => ({ data: {} }), toMetrics: () => ({}) }),
      {
        code: 'invalid-codec',
      },
    )
  })
})
