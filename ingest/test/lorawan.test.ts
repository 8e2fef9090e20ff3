import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Sensor, SensorState } from '@pulso/model'
import { loadCodecs } from '../src/index.ts'
import { startCity, type City } from './support/city.ts'
import { NO_DATA, readLorawanExamples, type LorawanExample } from './support/examples.ts'

const DEV_EUI = '1000000000000001'
/** The examples are from 2023; received then, they would not be late. */
const ANY_TIME = { pastMs: 100 * 365 * 86_400_000, futureMs: 300_000 }
const TOPICS: Readonly<Record<string, string>> = {
  ChirpStack: `application/ca739e26-7b67-4f14-b69e-d568c22a5a75/device/${DEV_EUI}/event/up`,
  ThingsStackCommunity: `v3/application-tts-name@ttn/devices/eui-${DEV_EUI}/up`,
}

/** Which codec and kind a folder's sensor has, and what of its example is stored. */
const MODELS: Readonly<
  Record<
    string,
    { codec: string; kind: string; stored: Readonly<Record<string, Readonly<Record<string, unknown>>>> }
  >
> = {
  'EM300-TH': {
    codec: 'milesight-em300-th',
    kind: 'environment',
    stored: { payload: { temperature: 30.8, relativeHumidity: 0.505, batteryLevel: 0.92, rssi: -35 } },
  },
  'EM500-CO2': {
    codec: 'milesight-em500-co2',
    kind: 'environment',
    stored: { payload: { temperature: 28.1, relativeHumidity: 0.575, batteryLevel: 1, rssi: -35 } },
  },
  WS302: {
    codec: 'milesight-ws302',
    kind: 'environment',
    stored: { payload: { LAeq: 47.4, batteryLevel: 1, rssi: -35 } },
  },
  G4_NCC_SM: { codec: 'nwave-g4-ncc-sm', kind: 'parking', stored: {} },
  G4_NPS_SM: {
    codec: 'nwave-g4-nps-sm',
    kind: 'parking',
    stored: {
      payload: { status: 'occupied', rssi: -35 },
      payload_1: { status: 'free', rssi: -35 },
      payload_2: { status: 'free', rssi: -35 },
    },
  },
}

function bay(lorawan: Sensor['lorawan']): Sensor {
  const at = { name: null, position: null, attributes: {}, createdAtMs: 0 }
  return { id: 'bay-7', kind: 'parking', ...at, ...(lorawan && { lorawan }) }
}

async function register(city: City, sensor: Sensor): Promise<void> {
  await city.registry.putSensors([sensor])
}

async function startWith(context: TestContext, sensor: Sensor): Promise<City> {
  const city = await startCity(context, { clockLimits: ANY_TIME })
  await register(city, sensor)
  return city
}

const chirpstack = (more: object): object => ({ deviceInfo: { devEui: DEV_EUI }, ...more })
const UPLINK = TOPICS.ChirpStack ?? ''

describe('uplinks of the data folder', { skip: readLorawanExamples().length === 0 && NO_DATA }, async () => {
  const codecs = await loadCodecs(null)
  const examples = readLorawanExamples()

  it('are all there', () => assert.equal(examples.length, 14))

  for (const { model, platform, file, payload, telemetry } of examples) {
    const { codec: name = '' } = MODELS[model] ?? {}
    const [expected] = telemetry

    it(`${model} by ${platform} (${file}) decodes to its fields`, () => {
      const codec = codecs.get(name)
      assert.ok(codec)
      const { data, errors = [], warnings = [] } = codec.decode(toUplink(payload))
      assert.deepEqual({ data, errors, warnings }, { data: expected?.values, errors: [], warnings: [] })
    })
  }

  it('are stored where they name a metric, and counted where they name none', async (context) => {
    const city = await startCity(context, { clockLimits: ANY_TIME })
    let withoutMetric = 0
    for (const [index, { model, platform, file, payload, telemetry }] of examples.entries()) {
      const { codec = '', kind = '', stored = {} } = MODELS[model] ?? {}
      // Every example has the same DevEUI: here each is a sensor of its own.
      const devEui = String(index).padStart(16, '0')
      const id = `sensor-${index}`
      await city.registry.putSensors([{ ...bay({ devEui, codec }), id, kind }])
      await city.put(TOPICS[platform] ?? '', JSON.stringify(payload).replaceAll(DEV_EUI, devEui))
      const wanted = stored[file.replace('.json', '')]
      const state = await city.state(id)
      assert.deepEqual(valuesOf(state), wanted ?? {}, `${model} ${platform} ${file}`)
      if (wanted) assert.equal(state?.timeMs, telemetry[0]?.ts)
      else withoutMetric++
    }
    assert.deepEqual(await city.quarantine(), [])
    assert.equal(await city.count('pulso_messages_without_metric_total'), withoutMetric)
  })
})

function valuesOf(state: SensorState | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(state?.values ?? {}).map(([name, { value }]) => [name, value]))
}

function toUplink(payload: LorawanExample['payload']): { fPort: number; bytes: Uint8Array } {
  const { fPort, data } = payload
  if (typeof data === 'string') return { fPort: Number(fPort), bytes: Buffer.from(data, 'base64') }
  const { f_port, frm_payload } = payload.uplink_message as { f_port: number; frm_payload: string }
  return { fPort: f_port, bytes: Buffer.from(frm_payload, 'base64') }
}

describe('a LoRaWAN device', () => {
  it('is found by its DevEUI in either case, also after it was given to another sensor', async (context) => {
    const devEui = 'A84041000181C061'
    const city = await startWith(context, bay({ devEui, codec: null }))
    const occupied = {
      ...chirpstack({ object: { status: 'occupied' } }),
      deviceInfo: { devEui: devEui.toLowerCase() },
    }
    await city.put(UPLINK, occupied)
    assert.equal((await city.state('bay-7'))?.values.status?.value, 'occupied')

    await register(city, bay(undefined))
    await register(city, { ...bay({ devEui, codec: null }), id: 'bay-8' })
    await city.put(UPLINK, occupied)
    assert.equal((await city.state('bay-8'))?.values.status?.value, 'occupied')
    assert.deepEqual(await city.quarantine(), [])
  })

  it('that nobody knows is set aside with its DevEUI, and can be sent again once it is known', async (context) => {
    const city = await startCity(context)
    const message = chirpstack({ fPort: 1, data: 'lQ==' })
    await city.put(UPLINK, message)
    const [entry] = await city.quarantine()
    assert.equal(entry?.reason, 'unknown-sensor')
    assert.match(entry.detail, /1000000000000001/)

    await register(city, bay({ devEui: DEV_EUI, codec: 'nwave-g4-nps-sm' }))
    await city.put(entry.topic, entry.payload)
    assert.equal((await city.state('bay-7'))?.values.status?.value, 'occupied')
  })

  it('says what its network decoded, when it has no codec of ours', async (context) => {
    const station: Sensor = { ...bay({ devEui: DEV_EUI, codec: null }), kind: 'environment' }
    const city = await startWith(context, station)
    await city.put('v3/city@tenant/devices/station/up', {
      end_device_ids: { dev_eui: DEV_EUI },
      received_at: '2026-01-05T10:00:01Z',
      uplink_message: {
        f_port: 85,
        frm_payload: 'AQI=',
        received_at: '2026-01-05T10:00:00.123456789Z',
        decoded_payload: { temperature: 12.5, humidity: 81, battery: 50, co2: 412 },
        rx_metadata: [{ rssi: -112 }, { rssi: -97 }, {}],
      },
    })
    assert.deepEqual(await city.quarantine(), [])
    const state = await city.state('bay-7')
    assert.deepEqual(valuesOf(state), {
      temperature: 12.5,
      relativeHumidity: 0.81,
      batteryLevel: 0.5,
      rssi: -97,
    })
    assert.equal(state?.timeMs, Date.UTC(2026, 0, 5, 10, 0, 0, 123))
    assert.equal(await city.count('pulso_metrics_unknown_total'), 1)
  })

  it('is not alive for having been heard: without a measurement its signal is not kept', async (context) => {
    const city = await startWith(context, bay({ devEui: DEV_EUI, codec: null }))
    await city.put(UPLINK, chirpstack({ rxInfo: [{ rssi: -60 }] }))
    await city.put(UPLINK, chirpstack({ object: { uptime: 5 }, rxInfo: [{ rssi: -60 }] }))
    assert.equal(await city.state('bay-7'), undefined)
    assert.deepEqual(await city.quarantine(), [])
    assert.equal(await city.count('pulso_messages_without_metric_total'), 2)
  })

  it('sends its history with times of its own', async (context) => {
    const station: Sensor = { ...bay({ devEui: DEV_EUI, codec: 'milesight-em300-th' }), kind: 'environment' }
    const city = await startWith(context, station)
    const data = Buffer.from('03670D01 20CE9E74466310015D00 20CEDE74466312015E00'.replaceAll(' ', ''), 'hex')
    await city.put(
      UPLINK,
      chirpstack({ time: '2026-01-05T10:00:00Z', fPort: 85, data: data.toString('base64') }),
    )
    assert.deepEqual(await city.quarantine(), [])
    assert.deepEqual(await city.points('environment', 'bay-7', 'temperature'), [
      [1_665_561_758_000, 27.2],
      [1_665_561_822_000, 27.4],
      [Date.UTC(2026, 0, 5, 10), 26.9],
    ])
  })

  const broken: [claim: string, payload: unknown, reason: string, detail: RegExp][] = [
    ['without a DevEUI', { data: 'lQ==', fPort: 1 }, 'invalid-payload', /DevEUI/],
    ['with a DevEUI that is none', { deviceInfo: { devEui: 'xyz' } }, 'invalid-payload', /DevEUI/],
    ['that is no object', [1], 'invalid-payload', /DevEUI/],
    ['that is no JSON', '{"deviceInfo":', 'invalid-json', /JSON/],
    ['that is empty', '', 'empty-payload', /empty/],
    ['cut off', chirpstack({ fPort: 3, data: 'AgQ=' }), 'invalid-payload', /ends after 2 bytes/],
    [
      'on a port that its device does not use',
      chirpstack({ fPort: 77, data: 'AgQ=' }),
      'invalid-payload',
      /port 77/,
    ],
    ['without a port', chirpstack({ data: 'AgQ=' }), 'invalid-payload', /port/],
    ['in no base64', chirpstack({ fPort: 1, data: '*?' }), 'invalid-payload', /base64/],
    [
      'longer than any frame',
      chirpstack({ fPort: 1, data: 'AAAA'.repeat(100) }),
      'invalid-payload',
      /300 bytes/,
    ],
  ]
  it('that sends nonsense is told why', async (context) => {
    const city = await startWith(context, bay({ devEui: DEV_EUI, codec: 'nwave-g4-nps-sm' }))
    for (const [, payload] of broken) await city.send(UPLINK, payload)
    await city.settled()
    const entries = await city.quarantine()
    assert.equal(entries.length, broken.length)
    for (const [index, [claim, , reason, detail]] of broken.entries()) {
      assert.equal(entries[index]?.reason, reason, claim)
      assert.match(entries[index].detail, detail, claim)
    }
  })

  it('whose codec is not installed is set aside, and so is one that nobody decodes', async (context) => {
    const city = await startWith(context, bay({ devEui: DEV_EUI, codec: 'gone' }))
    await city.put(UPLINK, chirpstack({ fPort: 1, data: 'lQ==' }))
    await register(city, bay({ devEui: DEV_EUI, codec: null }))
    await city.put(UPLINK, chirpstack({ fPort: 1, data: 'lQ==' }))
    const details = (await city.quarantine()).map(({ detail }) => detail)
    assert.match(details[0] ?? '', /no codec 'gone'/)
    assert.match(details[1] ?? '', /no codec, and the network sent no decoded fields/)
  })
})
