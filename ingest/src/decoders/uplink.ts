import { messageOf, type Kind, type LorawanNetwork } from '@pulso/model'
import type { Codec, DecodedUplink, Telemetry } from '../codec.ts'
import { parseChirpstack } from './chirpstack.ts'
import { refused, type Decoded, type RawReading, type Refused } from './decoder.ts'
import { toOwnNames } from './foreign-names.ts'
import type { Envelope, EnvelopeParser } from './envelope.ts'
import { isObject, parseJson } from './json.ts'
import { parseTheThingsStack } from './the-things-stack.ts'

const PARSERS: Readonly<Record<LorawanNetwork, EnvelopeParser>> = {
  'the-things-stack': parseTheThingsStack,
  chirpstack: parseChirpstack,
}

const DEV_EUI = /^[0-9A-F]{16}$/
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/
/** No LoRaWAN frame carries more. */
const MAX_PAYLOAD_BYTES = 255

export function parseUplink(network: LorawanNetwork, payload: Uint8Array): Envelope | Refused {
  const parsed = parseJson(payload)
  if ('type' in parsed) return parsed
  const envelope = isObject(parsed.json) ? PARSERS[network](parsed.json) : undefined
  const devEui = typeof envelope?.devEui === 'string' ? envelope.devEui.toUpperCase() : ''
  if (!envelope || !DEV_EUI.test(devEui)) {
    return refused(
      'invalid-payload',
      'The uplink does not say which device it is from: there is no DevEUI in it',
    )
  }
  return { ...envelope, devEui }
}

export interface UplinkContext {
  kind: Kind
  /** The sensor's codec; `null` where the network decodes. */
  codec: Codec | null
}

/** Readings of an uplink, by the sensor's codec or from the fields that the network made of it. */
export function decodeUplink(envelope: Envelope, { kind, codec }: UplinkContext): Decoded {
  const { fPort, payload } = envelope
  const hasPayload = typeof payload === 'string' && payload !== '' && fPort !== 0
  if (codec && hasPayload) {
    const bytes = BASE64.test(payload) ? Buffer.from(payload, 'base64') : undefined
    if (!bytes) return refused('invalid-payload', "The device's payload is not base64")
    if (typeof fPort !== 'number' || !Number.isInteger(fPort) || fPort < 1 || fPort > 255) {
      return refused('invalid-payload', 'The uplink has a payload but no port from 1 to 255')
    }
    if (bytes.byteLength > MAX_PAYLOAD_BYTES) {
      return refused('invalid-payload', `A payload of ${bytes.byteLength} bytes is more than LoRaWAN carries`)
    }
    return decodeByCodec({ envelope, fPort, bytes }, { kind, codec })
  }
  if (isObject(envelope.fields)) {
    return toDecoded(envelope, kind, { telemetry: [toOwnNames(kind, envelope.fields)], unknown: 0 })
  }
  if (!hasPayload) return { type: 'nothing' }
  return refused('invalid-payload', 'The sensor has no codec, and the network sent no decoded fields')
}

function decodeByCodec(
  { envelope, fPort, bytes }: { envelope: Envelope; fPort: number; bytes: Uint8Array },
  { kind, codec }: UplinkContext & { codec: Codec },
): Decoded {
  let decoded: DecodedUplink
  let telemetry: readonly Telemetry[]
  try {
    decoded = codec.decode({ fPort, bytes })
    telemetry = [codec.toMetrics(decoded.data)].flat()
    if (!isObject(decoded.data) || !telemetry.every(isObject)) throw new Error('The codec gave no object')
  } catch (error) {
    // A codec may be the city's own, so whatever it throws is about this payload.
    return refused('invalid-payload', `${codec.title}: ${messageOf(error)}`)
  }
  const errors = decoded.errors ?? []
  const isUnderstood = errors.length === 0 || Object.keys(decoded.data).length > 0
  if (!isUnderstood) return refused('invalid-payload', `${codec.title}: ${errors.join('; ')}`)
  if (telemetry.length > MAX_PAYLOAD_BYTES) {
    return refused(
      'batch-too-large',
      `${codec.title}: ${telemetry.length} readings of one payload are too many`,
    )
  }
  return toDecoded(envelope, kind, { telemetry, unknown: errors.length })
}

function toDecoded(
  envelope: Envelope,
  kind: Kind,
  { telemetry, unknown }: { telemetry: readonly Telemetry[]; unknown: number },
): Decoded {
  const rssi = bestOf(envelope.rssi)
  const readings: RawReading[] = []
  for (const { time, ...metrics } of telemetry) {
    const hasAny = Object.entries(metrics).some(
      ([name, value]) => value !== undefined && value !== null && Object.hasOwn(kind.metrics, name),
    )
    // A sign of life alone is no measurement: it would make the last one look newer than it is.
    if (!hasAny) unknown += Object.values(metrics).filter((value) => value !== undefined).length
    else if (time !== undefined) readings.push({ time, metrics })
    else readings.push({ time: envelope.time, metrics: rssi === undefined ? metrics : { rssi, ...metrics } })
  }
  return readings.length === 0
    ? { type: 'nothing', unknown }
    : { type: 'readings', readings, unknown, toPayload: null }
}

/** The gateway that heard it best says how good the connection is. */
function bestOf(rssi: readonly unknown[]): number | undefined {
  let best: number | undefined
  for (const value of rssi)
    if (typeof value === 'number' && (best === undefined || value > best)) best = value
  return best
}
