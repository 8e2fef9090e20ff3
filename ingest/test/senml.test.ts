import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import carpark from '@pulso/model/kinds/carpark'
import environment from '@pulso/model/kinds/environment'
import lighting from '@pulso/model/kinds/lighting'
import parking from '@pulso/model/kinds/parking'
import type { Kind } from '@pulso/model'
import { decodeSenml } from '../src/decoders/senml.ts'
import type { Decoded } from '../src/decoders/index.ts'
import { startCity } from './support/city.ts'

const NOW_MS = Date.UTC(2026, 4, 1, 12)
const NOW_S = NOW_MS / 1_000

function decode(pack: unknown, kind: Kind = environment): Decoded {
  const payload = Buffer.from(typeof pack === 'string' ? pack : JSON.stringify(pack))
  const message = { topic: 'pulso/k/s/senml', payload, credential: 't', position: 1, receivedAtMs: NOW_MS }
  return decodeSenml(message, { kind, limits: { objectsPerMessage: 100 } })
}

/** The readings as `[timeMs, metrics]`, and what is refused as its detail. */
function read(pack: unknown, kind?: Kind): unknown[] {
  const decoded = decode(pack, kind)
  if (decoded.type !== 'readings') return [decoded]
  return decoded.readings.map((each) => ('type' in each ? each.detail : [each.time, each.metrics]))
}

describe('SenML', () => {
  it('takes a record alone, received now', () => {
    assert.deepEqual(read([{ n: 'temperature', u: 'Cel', v: 23.1 }]), [[NOW_MS, { temperature: 23.1 }]])
  })

  it('takes `__proto__` for a name like any other, so that it is counted as unknown', () => {
    const [reading] = read([{ bn: 'urn:dev:ow:1:', n: '__proto__', v: 1 }]) as [[number, object]]
    assert.deepEqual(Object.entries(reading[1]), [['__proto__', 1]])
  })

  it('makes one reading of the records of one time', () => {
    const pack = [
      { bn: 'urn:dev:ow:10e2073a01080063:', bt: NOW_S - 60, n: 'temperature', u: 'Cel', v: 20 },
      { n: 'relativeHumidity', u: '%RH', v: 57.5 },
      { n: 'temperature', u: 'Cel', v: 21, t: 30 },
    ]
    assert.deepEqual(read(pack), [
      [NOW_MS - 60_000, { temperature: 20, relativeHumidity: 0.575 }],
      [NOW_MS - 30_000, { temperature: 21 }],
    ])
  })

  it('takes times below 2^28 as relative to now, and those from there on as absolute', () => {
    const pack = [
      { n: 'temperature', v: 1, t: -3_600.5 },
      { n: 'temperature', v: 2 },
      { n: 'temperature', v: 3, t: NOW_S - 1.25 },
      { n: 'LAeq', v: 50, t: 0 },
    ]
    assert.deepEqual(read(pack), [
      [NOW_MS - 3_600_500, { temperature: 1 }],
      [NOW_MS, { temperature: 2, LAeq: 50 }],
      [NOW_MS - 1_250, { temperature: 3 }],
    ])
    const [refusal] = read([{ n: 'temperature', v: 1, t: 2 ** 28 }])
    assert.match(String(refusal), /time/)
  })

  it('adds base time, value and sum, each from its record on', () => {
    const pack = [
      { bn: 'lamp/', bt: NOW_S, bv: 100, bu: 'W', bs: 3_600_000, n: 'powerConsumption', v: -38 },
      { n: 'powerConsumption', v: 5, t: 10 },
      { bv: 0, n: 'powerConsumption', v: 7, t: 20 },
      { n: 'energy', s: 1_800_000, t: 20 },
    ]
    assert.deepEqual(read(pack, lighting), [
      [NOW_MS, { powerConsumption: 62 }],
      [NOW_MS + 10_000, { powerConsumption: 105 }],
      [NOW_MS + 20_000, { powerConsumption: 7, energy: 1.5 }],
    ])
  })

  it('finds the metric behind the base name, or at its end where there is nothing behind it', () => {
    const names: [base: string, own: string | undefined][] = [
      ['', 'status'],
      ['bay-17-', 'status'],
      ['urn:dev:mac:0024befffe804ff1/', 'status'],
      ['street:', 'bay-17/status'],
      ['urn:dev:mac:0024befffe804ff1:status', undefined],
    ]
    for (const [bn, n] of names) {
      assert.deepEqual(
        read([{ bn, ...(n && { n }), vs: 'free' }], parking),
        [[NOW_MS, { status: 'free' }]],
        bn,
      )
    }
  })

  const conversions: [kind: Kind, metric: string, unit: string, sent: number, stored: number][] = [
    [environment, 'temperature', 'K', 293.15, 20],
    [environment, 'relativeHumidity', '/', 0.55, 0.55],
    [environment, 'relativeHumidity', '%', 0.55, 0.55],
    [environment, 'relativeHumidity', '/100', 55, 0.55],
    [environment, 'batteryLevel', '%EL', 92, 0.92],
    [environment, 'pm25', 'ug/m3', 12.5, 12.5],
    [environment, 'pm25', 'mg/m3', 0.0125, 12.5],
    [environment, 'pm25', 'kg/m3', 1.25e-8, 12.5],
    [environment, 'co', 'ug/m3', 400, 0.4],
    [environment, 'LAeq', 'dB', 61.5, 61.5],
    [environment, 'LAeq', 'Bspl', 6.15, 61.5],
    [environment, 'rssi', 'dBm', -97, -97],
    [environment, 'rssi', 'dBW', -127, -97],
    [lighting, 'powerConsumption', 'kW', 0.062, 62],
    [lighting, 'energy', 'Wh', 1_234, 1.234],
    [lighting, 'energy', 'J', 3_600_000, 1],
    [lighting, 'energy', 'kWh', 7.5, 7.5],
    [carpark, 'availableSpotNumber', 'count', 12, 12],
  ]
  for (const [kind, n, u, v, stored] of conversions) {
    it(`converts ${n} from ${u}`, () => {
      assert.deepEqual(read([{ n, u, v }], kind), [[NOW_MS, { [n]: stored }]])
    })
  }

  it('refuses a unit that is not the metric’s, and says which ones are', () => {
    const decoded = decode([
      { bu: 'Cel', n: 'temperature', v: 20 },
      { n: 'no2', u: 'ppb', v: 20 },
    ])
    assert.equal(decoded.type, 'readings')
    const [reading, refusal] = decoded.readings
    assert.deepEqual(reading, { time: NOW_MS, metrics: { temperature: 20 } })
    assert.ok(refusal && 'type' in refusal)
    assert.equal(refusal.reason, 'wrong-type')
    assert.equal(refusal.metric, 'no2')
    assert.match(refusal.detail, /Record 1: no2 cannot be in 'ppb': send it in ug\/m3, mg\/m3, kg\/m3/)
    assert.match(String(read([{ n: 'illuminanceLevel', u: 'lx', v: 20 }], lighting)[0]), /cannot be in 'lx'/)
  })

  it('keeps a refused record with all that it took from those before it', () => {
    const decoded = decode([
      { bn: 'air:', bt: NOW_S, bu: 'Cel', bver: 10, n: 'temperature', v: 20 },
      { n: 'LAeq', v: 61, t: -30 },
    ])
    assert.equal(decoded.type, 'readings')
    const refusal = decoded.readings[1]
    assert.ok(refusal && 'type' in refusal)
    const again = decode(refusal.element)
    assert.equal(again.type, 'readings')
    assert.deepEqual(
      again.readings.map((each) => 'type' in each && each.metric),
      ['LAeq'],
    )
    assert.deepEqual(refusal.element, [
      { bn: 'air:', bt: 0, bu: 'Cel', bv: 0, bs: 0, n: 'LAeq', v: 61, t: NOW_S - 30 },
    ])
  })

  const wrongRecords: [claim: string, record: object, detail: RegExp][] = [
    ['two values', { n: 'temperature', v: 1, vs: 'a' }, /more than one value: v, vs/],
    ['no value', { n: 'temperature' }, /neither a value nor a sum/],
    ['no name', { v: 1 }, /no name/],
    ['a name with a blank', { n: 'a b', v: 1 }, /no SenML name/],
    ['a name that begins with a dot', { n: '.a', v: 1 }, /no SenML name/],
    ['a name that ends with no metric', { n: 'a/', v: 1 }, /ends with no metric/],
    ['data for a number', { n: 'temperature', vd: 'AQ' }, /as data/],
    ['a sum for a mean', { n: 'temperature', u: 'Cel', s: 4 }, /no sum of Cel/],
  ]
  for (const [claim, record, detail] of wrongRecords) {
    it(`refuses a record with ${claim} alone`, () => {
      const [reading, refusal] = read([record, { n: 'LAeq', u: 'dB', v: 50 }])
      assert.deepEqual(reading, [NOW_MS, { LAeq: 50 }])
      assert.match(String(refusal), detail)
    })
  }

  it('refuses a second value of the same time, and takes the same one twice', () => {
    const [reading, refusal, ...others] = read([
      { n: 'temperature', v: 1 },
      { n: 'temperature', v: 1 },
      { n: 'temperature', v: 2 },
    ])
    assert.deepEqual(reading, [NOW_MS, { temperature: 1 }])
    assert.match(String(refusal), /Record 2: temperature has another value/)
    assert.deepEqual(others, [])
  })

  const wrongPacks: [claim: string, pack: unknown, reason: string, detail: RegExp][] = [
    ['is an object', { n: 'temperature', v: 1 }, 'invalid-payload', /array of records, got an object/],
    ['is empty', [], 'invalid-payload', /no record/],
    ['has no bytes', '', 'empty-payload', /empty/],
    ['is no JSON', '[{', 'invalid-json', /JSON/],
    [
      'holds something else',
      [{ n: 'LAeq', v: 1 }, 5],
      'invalid-payload',
      /Record 1: must be an object, got a number/,
    ],
    ['is of a later version', [{ bver: 11, n: 'LAeq', v: 1 }], 'invalid-payload', /version 11/],
    ['is of no version', [{ bver: 0.5, n: 'LAeq', v: 1 }], 'invalid-payload', /version 0.5/],
    ['must be understood', [{ n: 'LAeq', v: 1, ct_: '60' }], 'invalid-payload', /'ct_' must be understood/],
    ['has a text for a number', [{ n: 'LAeq', v: '50' }], 'invalid-payload', /v must be a number/],
    ['has a number beyond all', '[{"n":"LAeq","v":1e999}]', 'invalid-payload', /v must be a number/],
    ['has a number for a base name', [{ bn: 5, n: 'LAeq', v: 1 }], 'invalid-payload', /bn must be a string/],
    ['is too long', new Array(101).fill({ n: 'LAeq', v: 1 }), 'batch-too-large', /101/],
  ]
  for (const [claim, pack, reason, detail] of wrongPacks) {
    it(`refuses a pack that ${claim}`, () => {
      const decoded = decode(pack)
      assert.ok(decoded.type === 'refused')
      assert.equal(decoded.reason, reason)
      assert.match(decoded.detail, detail)
    })
  }

  it('ignores fields that it does not know, and takes the version with secondary units', () => {
    assert.deepEqual(read([{ bver: 26, n: 'LAeq', v: 1, ct: '60', ut: 30 }]), [[NOW_MS, { LAeq: 1 }]])
  })

  it('passes from the journal to the readings; names that the kind does not know are counted', async (context) => {
    const city = await startCity(context)
    const topic = 'pulso/environment/air-1/senml'
    const nowS = Math.floor(Date.now() / 1_000)
    const first = { bn: 'air-1:', bt: nowS, n: 'temperature', u: 'Cel', v: 17.5 }
    await city.put(topic, [
      first,
      { n: 'voc', u: 'ppb', v: 3 },
      { n: 'pm25', u: 'mg/m3', v: 5 },
      { n: 'o3', u: 'Cel', v: 5 },
    ])
    assert.deepEqual(await city.points('environment', 'air-1', 'temperature'), [[nowS * 1_000, 17.5]])
    assert.equal(await city.count('pulso_metrics_unknown_total'), 1)
    const entries = await city.quarantine()
    assert.deepEqual(
      entries.map(({ reason, metric }) => [reason, metric]),
      [
        ['out-of-range', 'pm25'],
        ['wrong-type', 'o3'],
      ],
    )

    // What is kept can be sent again and comes to the same.
    for (const { payload } of entries) await city.send(topic, payload)
    await city.settled()
    assert.deepEqual((await city.quarantine()).map(({ metric }) => metric).slice(-2), ['pm25', 'o3'])
  })
})
