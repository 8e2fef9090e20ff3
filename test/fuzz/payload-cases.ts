import { CHAOS_KINDS } from '../chaos/support/kinds.ts'
import { createSeededRandom, type Random } from '../chaos/support/random.ts'
import { hash } from '../../simulators/src/random.ts'
import { mutateBytes, writeHostileJson } from './mutate.ts'

/** One message for ingest. */
export interface PayloadCase {
  topic: string
  payload: Buffer
}

export interface PayloadCasesOptions {
  seed: number
  /** What the cases' times are near to. */
  nowMs: number
  /** A sensor of each codec. */
  devices: readonly { devEui: string; sensorId: string }[]
}

/** The sensors that the cases are about. */
export const SENSORS_PER_KIND = 20

type Maker = (random: Random, options: PayloadCasesOptions) => { topic: string; json: unknown }

/** The same seed and index give the same case, whatever came before it. */
export function createPayloadCase(index: number, options: PayloadCasesOptions): PayloadCase {
  const random = createSeededRandom(hash(options.seed, index))
  const { topic, json } = random.pick(MAKERS)(random, options)
  const text = typeof json === 'string' ? json : writeHostileJson(json, random)
  const payload = Buffer.from(text)
  const isTopicMutated = random.chance(0.02)
  return {
    topic: isTopicMutated ? toTopicText(mutateBytes(Buffer.from(topic), random)) : topic,
    payload: random.chance(0.2) ? mutateBytes(payload, random) : payload,
  }
}

const MAKERS: readonly Maker[] = [
  telemetry,
  telemetry,
  senml,
  deviceApi,
  theThingsStack,
  chirpstack,
  chirpstack,
  presence,
  (random) => ({ topic: `pulso/${aKind(random)}/${aSensor(random)}/command/result`, json: { id: 1 } }),
  (random) => ({ topic: `pulso/${aKind(random)}/${aSensor(random)}/telemetry`, json: noise(random) }),
]

function telemetry(random: Random, options: PayloadCasesOptions): ReturnType<Maker> {
  const kind = aKind(random)
  const topic = `pulso/${kind}/${aSensor(random, kind)}/telemetry`
  const objects = Array.from({ length: random.chance(0.2) ? random.between(0, 6) : 1 }, () => ({
    ...(random.chance(0.7) && { time: aTime(random, options) }),
    ...someMetrics(random),
  }))
  return { topic, json: objects.length === 1 ? objects[0] : objects }
}

function senml(random: Random, options: PayloadCasesOptions): ReturnType<Maker> {
  const kind = aKind(random)
  const records = Array.from({ length: random.between(1, 5) }, () => ({
    n: random.pick(METRICS),
    u: random.pick(['Cel', '%RH', 'dB', 'lx', 'W', 'ug/m3', '', 'Far']),
    [random.pick(['v', 'vs', 'vb', 's'])]: aNumber(random),
    t: random.pick([0, -5, 1e9, Number.MAX_SAFE_INTEGER, options.nowMs / 1_000]),
  }))
  const base = { bn: 'urn:dev:x:', bt: options.nowMs / 1_000, bu: 'W', bver: 10 }
  return { topic: `pulso/${kind}/${aSensor(random, kind)}/senml`, json: [base, ...records] }
}

function deviceApi(random: Random, options: PayloadCasesOptions): ReturnType<Maker> {
  const one = { ts: aTime(random, options), values: someMetrics(random) }
  const json = random.pick([one, someMetrics(random), [one, one], [one, someMetrics(random)]])
  return { topic: `v1/devices/${aSensor(random)}/telemetry`, json }
}

function theThingsStack(random: Random, options: PayloadCasesOptions): ReturnType<Maker> {
  const { devEui } = random.pick(options.devices)
  const json = {
    end_device_ids: { dev_eui: random.chance(0.9) ? devEui : random.bytes(8).toString('hex') },
    received_at: new Date(options.nowMs).toISOString(),
    uplink_message: {
      f_port: aPort(random),
      frm_payload: someBytes(random),
      ...(random.chance(0.3) && { decoded_payload: someMetrics(random) }),
      rx_metadata: [{ rssi: -random.between(20, 130) }],
    },
  }
  return { topic: 'v3/app@tenant/devices/device/up', json }
}

function chirpstack(random: Random, options: PayloadCasesOptions): ReturnType<Maker> {
  const { devEui } = random.pick(options.devices)
  const json = {
    time: new Date(options.nowMs).toISOString(),
    deviceInfo: { devEui },
    fPort: aPort(random),
    data: someBytes(random),
    ...(random.chance(0.3) && { object: someMetrics(random) }),
    rxInfo: [{ rssi: -random.between(20, 130) }],
  }
  return { topic: `application/1/device/${devEui}/event/up`, json }
}

function presence(random: Random): ReturnType<Maker> {
  const json = random.pick(['online', 'offline', 'Online', ' offline\n', '', '\0online'])
  return { topic: `pulso/${aKind(random)}/${aSensor(random)}/presence`, json }
}

const METRICS = [
  'energy',
  'powerState',
  'illuminanceLevel',
  'status',
  'batteryLevel',
  'rssi',
  'pm10',
  'temperature',
  'relativeHumidity',
  'availableSpotNumber',
  'unheardOf',
]

function someMetrics(random: Random): Record<string, unknown> {
  const count = random.between(0, 4)
  return Object.fromEntries(
    Array.from({ length: count }, () => [
      random.pick(METRICS),
      random.pick([aNumber(random), 'on', 'free', true]),
    ]),
  )
}

/** Ports and first bytes that the codecs know, and all others. */
function aPort(random: Random): number {
  return random.chance(0.7)
    ? random.pick([1, 2, 10, 23, 24, 25, 26, 49, 50, 51, 60, 61, 85, 99, 111])
    : random.between(-1, 300)
}

function someBytes(random: Random): string {
  const bytes = random.bytes(random.between(0, random.chance(0.05) ? 300 : 40))
  const first = random.pick([0x01, 0x03, 0x04, 0x05, 0x06, 0x07, 0x75, 0x67, 0x68, 0x20, 0xff, 0xfe])
  if (bytes.length > 0 && random.chance(0.7)) bytes[0] = first
  const text = bytes.toString('base64')
  return random.chance(0.1) ? mutateBytes(Buffer.from(text), random).toString('latin1') : text
}

function noise(random: Random): string {
  return random.bytes(random.between(0, 60)).toString('latin1')
}

function aKind(random: Random): string {
  return random.chance(0.95) ? random.pick(CHAOS_KINDS).id : random.pick(['__proto__', 'carpark', 'nothing'])
}

function aSensor(random: Random, kind = aKind(random)): string {
  return `${kind}-${random.between(0, SENSORS_PER_KIND - 1)}`
}

function aTime(random: Random, { nowMs }: PayloadCasesOptions): unknown {
  const timeMs = nowMs - random.between(-400_000, 700_000_000)
  return random.chance(0.5) ? timeMs : new Date(timeMs).toISOString()
}

function aNumber(random: Random): number {
  return random.chance(0.5) ? random.between(0, 100) : (random.unit() - 0.5) * 10 ** random.between(-10, 12)
}

/** A topic that the front door would let in: valid text without wildcards or NULs, and not without an end. */
function toTopicText(bytes: Buffer): string {
  return bytes
    .toString('utf8')
    .replaceAll(/[\0+#]/g, '_')
    .slice(0, 200)
}
