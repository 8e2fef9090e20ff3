/**
 * Our topics, `pulso/{kind}/{sensor}/{channel}`, and those of others that we take. Everything about their shape stands
 * here.
 */

export const TOPIC_ROOT = 'pulso'

/** What a device may send (up) or be sent (down). */
export const UP_CHANNELS = ['telemetry', 'senml', 'presence', 'command/result'] as const
export const DOWN_CHANNELS = ['command'] as const

export type UpChannel = (typeof UP_CHANNELS)[number]
export type Channel = UpChannel | (typeof DOWN_CHANNELS)[number]

/** Where a device of ThingsBoard publishes: it says who it is by its credential alone. */
export const DEVICE_API_TOPIC = 'v1/devices/me/telemetry'

/** The LoRaWAN network servers whose MQTT integrations are understood. */
export type LorawanNetwork = 'the-things-stack' | 'chirpstack'

/** What a message's topic says about it. */
export type Route =
  | ({ type: 'own' } & Topic)
  /** ThingsBoard's device API, with the sensor that the front door put in the place of `me`. */
  | { type: 'device-api'; sensorId: string }
  /** A LoRaWAN uplink. Which device it comes from stands in the payload. */
  | { type: 'uplink'; network: LorawanNetwork }

export interface Topic {
  kind: string
  sensorId: string
  channel: Channel
}

const OWN_PREFIX = `${TOPIC_ROOT}/`
const MAX_ID_LENGTH = 64
const DEVICE_API = /^v1\/devices\/([^/]+)\/telemetry$/
/** `v3/{application}@{tenant}/devices/{device}/up` */
const THE_THINGS_STACK = /^v3\/[^/]+\/devices\/[^/]+\/up$/
/** `application/{id}/device/{devEui}/event/up` */
const CHIRPSTACK = /^application\/[^/]+\/device\/[^/]+\/event\/up$/
const CHANNELS: ReadonlySet<string> = new Set([...UP_CHANNELS, ...DOWN_CHANNELS])

/** A sensor id: 1 to 64 of `A-Z a-z 0-9 . _ : -`, unique in the city across kinds. */
export function isSensorId(text: string): boolean {
  if (text.length === 0 || text.length > MAX_ID_LENGTH) return false
  for (let index = 0; index < text.length; index++) if (!isIdCode(text.charCodeAt(index))) return false
  return true
}

/** The parts of one of our topics, or `undefined` for any other topic. */
export function parseTopic(topic: string): Topic | undefined {
  // Asked for every message: a few looks along the text, no list of parts.
  if (!topic.startsWith(OWN_PREFIX)) return undefined
  const kindEnd = topic.indexOf('/', OWN_PREFIX.length)
  const sensorEnd = kindEnd === -1 ? -1 : topic.indexOf('/', kindEnd + 1)
  if (sensorEnd === -1) return undefined
  const kind = topic.slice(OWN_PREFIX.length, kindEnd)
  const sensorId = topic.slice(kindEnd + 1, sensorEnd)
  const channel = topic.slice(sensorEnd + 1)
  if (kind === '' || kind.length > MAX_ID_LENGTH || !isSensorId(sensorId) || !isChannel(channel))
    return undefined
  return { kind, sensorId, channel }
}

/** What any topic is that the platform takes in; `undefined` for all others. */
export function parseRoute(topic: string): Route | undefined {
  if (topic.startsWith(OWN_PREFIX)) {
    const own = parseTopic(topic)
    return own && { type: 'own', ...own }
  }
  const sensorId = DEVICE_API.exec(topic)?.[1]
  if (sensorId !== undefined) return isSensorId(sensorId) ? { type: 'device-api', sensorId } : undefined
  if (THE_THINGS_STACK.test(topic)) return { type: 'uplink', network: 'the-things-stack' }
  if (CHIRPSTACK.test(topic)) return { type: 'uplink', network: 'chirpstack' }
  return undefined
}

/** The topic under which a message of `DEVICE_API_TOPIC` is kept: with the sensor that its credential speaks for. */
export function toDeviceApiTopic(sensorId: string): string {
  return `v1/devices/${sensorId}/telemetry`
}

export function toTopic({ kind, sensorId, channel }: Topic): string {
  return `${TOPIC_ROOT}/${kind}/${sensorId}/${channel}`
}

/** `A-Z a-z 0-9 . _ : -` by their codes; digits and `:` are neighbours. */
function isIdCode(code: number): boolean {
  if (code >= 0x30 && code <= 0x3a) return true
  if (code >= 0x41 && code <= 0x5a) return true
  if (code >= 0x61 && code <= 0x7a) return true
  return code === 0x2d || code === 0x2e || code === 0x5f
}

function isChannel(text: string): text is Channel {
  return CHANNELS.has(text)
}
