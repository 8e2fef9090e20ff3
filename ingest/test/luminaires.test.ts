import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { loadCodecs } from '../src/index.ts'
import { startCity, type City } from './support/city.ts'
import { LUMINAIRES, NO_DATA } from './support/examples.ts'

interface Example {
  codec: string
  suite: string
  name: string
  fport: number
  data: string
  expected: { data: unknown; errors: string[]; warnings: string[] }
}

/** The file's decoders are one per firmware and direction; ours are one per firmware. */
const CODECS: Readonly<Record<string, string>> = { '1_0_x': 'nas-ul20xx-1-0', '1_1_x': 'nas-ul20xx-1-1' }

const isThere = existsSync(LUMINAIRES)

describe('luminaires', { skip: !isThere && NO_DATA }, async () => {
  const codecs = await loadCodecs(null)
  const examples = isThere ? (JSON.parse(readFileSync(LUMINAIRES, 'utf8')) as Example[]) : []

  it('has every example of the data folder', () => assert.equal(examples.length, 125))

  for (const [index, { codec: decoder, name, fport, data, expected }] of examples.entries()) {
    it(`${index} (${decoder}): ${name}`, () => {
      const codec = codecs.get(CODECS[/\d_\d_x/.exec(decoder)?.[0] ?? ''] ?? '')
      assert.ok(codec)
      const bytes = Buffer.from(data.replaceAll(' ', ''), 'hex')
      assert.deepEqual(codec.decode({ fPort: fport, bytes }), expected)
    })
  }

  it('none of the examples is refused, and those that measure something are stored', async (context) => {
    const city = await startCity(context)
    for (const firmware of ['1_0_x', '1_1_x']) {
      const lorawan = { devEui: toDevEui(firmware), codec: CODECS[firmware] ?? '' }
      const about = { kind: 'lighting', name: null, position: null, attributes: {}, createdAtMs: 0 }
      await city.registry.putSensors([{ id: firmware, ...about, lorawan }])
    }
    for (const { codec, fport, data } of examples) {
      const devEui = toDevEui(/\d_\d_x/.exec(codec)?.[0] ?? '')
      const bytes = Buffer.from(data.replaceAll(' ', ''), 'hex')
      await city.send('application/lamps/device/x/event/up', {
        deviceInfo: { devEui },
        fPort: fport,
        data: bytes.toString('base64'),
      })
    }
    await city.settled()
    assert.deepEqual(await city.quarantine(), [])
    assert.deepEqual(await lastOf(city, '1_0_x'), {
      illuminanceLevel: 1,
      powerState: 'on',
      powerConsumption: 89,
      energy: 0.001,
      status: 'defectiveLamp',
    })
    const withoutMetric = await city.count('pulso_messages_without_metric_total')
    assert.ok(withoutMetric > 80 && withoutMetric < 125, String(withoutMetric))
  })

  const conversions: [claim: string, firmware: string, fPort: number, hex: string, metrics: object][] = [
    [
      'the dimming level of its brightest driver',
      '1_0_x',
      24,
      'DFD41D5E004B041502AE05050AFF32030306FF00',
      { illuminanceLevel: 0.5, powerState: 'low' },
    ],
    [
      'what is measured inside it',
      '1_0_x',
      25,
      'ff830100000004000000000012cf1e000000000000000000000070de060011000000',
      { powerConsumption: 4, energy: 0.001 },
    ],
    [
      'what its drivers use together, where nothing is measured inside',
      '1_1_x',
      26,
      '00FF80D0EF2F0112FF479403002A00F94A030027005DE5C072D902D0EF2F01',
      { powerConsumption: 42, energy: 234.567 },
    ],
    ['a failed lamp', '1_1_x', 61, '83200202', { powerState: 'off', status: 'defectiveLamp' }],
    ['a lamp that is well', '1_0_x', 60, '000204', { powerState: 'on', status: 'ok' }],
    [
      'nothing of a driver without power',
      '1_1_x',
      23,
      '00F6E5853800340718000EF5FFFF',
      { illuminanceLevel: 0, powerState: 'off' },
    ],
    ['nothing when it starts', '1_1_x', 99, '000D008350010101F37F205E000CFE0104', {}],
  ]
  for (const [claim, firmware, fPort, hex, metrics] of conversions) {
    it(`a luminaire says ${claim}`, () => {
      const codec = codecs.get(CODECS[firmware] ?? '')
      assert.ok(codec)
      const { data } = codec.decode({ fPort, bytes: Buffer.from(hex, 'hex') })
      assert.deepEqual(JSON.parse(JSON.stringify(codec.toMetrics(data))), metrics)
    })
  }

  it('a payload cut off anywhere, or too long, is an error in words and nothing worse', () => {
    for (const codec of codecs.values()) {
      for (const { fport, data } of examples) {
        const bytes = Buffer.from(`${data.replaceAll(' ', '')}5A`, 'hex')
        for (let end = 0; end <= bytes.length; end++) {
          try {
            codec.toMetrics(codec.decode({ fPort: fport, bytes: bytes.subarray(0, end) }).data)
          } catch (error) {
            assert.ok(error instanceof Error)
            assert.match(
              error.message,
              /ends after|left behind|Nothing is known|No packet|There is no|should be|longer|bytes/,
            )
          }
        }
      }
    }
  })
})

function toDevEui(firmware: string): string {
  return firmware.replaceAll(/\D/g, '').padStart(16, '0')
}

async function lastOf(city: City, id: string): Promise<Record<string, unknown>> {
  const state = await city.state(id)
  return Object.fromEntries(Object.entries(state?.values ?? {}).map(([name, { value }]) => [name, value]))
}
