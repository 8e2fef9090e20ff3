import {
  parseRoute,
  parseTopic,
  type Kind,
  type LorawanNetwork,
  type QuarantineReason,
  type Topic,
} from '@pulso/model'
import { REPLAY_CREDENTIAL, type KeptMessage } from '@pulso/stores'
import { kindOf, lookAtSensor, setAside, touchSensor, type BatchDraft, type OwnWay } from './batch-draft.ts'
import {
  decodeDeviceApi,
  decodeUplink,
  DECODERS,
  parseUplink,
  type Decoded,
  type RawReading,
  type Refused,
} from './decoders/index.ts'
import type { SensorDraft } from './sensor-draft.ts'
import { takeReading, type Source } from './take-reading.ts'

type Doubt = { reason: QuarantineReason; detail: string }

/** Decodes one message, validates it and applies it to the draft; what is wrong is set aside with its reason. */
export function takeMessage(draft: BatchDraft, message: KeptMessage): void {
  const way = draft.ways.get(message.topic)
  if (way) {
    countChannel(draft, way.channel)
    takeFrom(draft, message, way)
    return
  }
  // Our own topics first: nearly all messages have one.
  const topic = parseTopic(message.topic)
  if (topic) {
    takeOwn(draft, message, topic)
    return
  }
  const route = parseRoute(message.topic)
  if (route?.type === 'device-api') takeDeviceApi(draft, message, route.sensorId)
  else if (route?.type === 'uplink') takeUplink(draft, message, route.network)
  else setAside(draft, message, NO_TOPIC)
}

const NO_TOPIC = { reason: 'invalid-payload', detail: 'The topic is none that ingest reads' } as const

function takeOwn(draft: BatchDraft, message: KeptMessage, topic: Topic): void {
  const { sensorId, channel } = topic
  if (channel === 'command') {
    setAside(draft, message, NO_TOPIC)
    return
  }
  countChannel(draft, channel)
  const kind = draft.context.kinds.get(topic.kind)
  const doubt = doubtSensor(draft, topic)
  if (!kind || doubt) {
    setAside(draft, message, { ...(doubt ?? unknownKind(topic.kind)), sensorId })
    return
  }
  const way = { channel, sensor: lookAtSensor(draft, { id: sensorId, kind, message }) }
  // Once the sensor counts as known, nothing in this batch can make its topic doubtful. Remembered from its second message
  // on: in a large city most sensors have one in a batch.
  if (way.sensor.isTouched) draft.ways.set(message.topic, way)
  takeFrom(draft, message, way)
}

function takeFrom(draft: BatchDraft, message: KeptMessage, { channel, sensor }: OwnWay): void {
  const source = toSource(draft, message, sensor)
  take(draft, source, DECODERS[channel](message, source))
}

function toSource({ context }: BatchDraft, message: KeptMessage, sensor: SensorDraft): Source {
  return { message, kind: sensor.kind, sensor, limits: context.limits }
}

/** Which kind the sensor is does not stand in the topic, so it must be known. */
function takeDeviceApi(draft: BatchDraft, message: KeptMessage, sensorId: string): void {
  countChannel(draft, 'device-api')
  const kind = knownKind(draft, sensorId)
  if ('reason' in kind) {
    setAside(draft, message, { ...kind, sensorId })
    return
  }
  const source = toSource(draft, message, lookAtSensor(draft, { id: sensorId, kind, message }))
  take(draft, source, decodeDeviceApi(message, source))
}

function takeUplink(draft: BatchDraft, message: KeptMessage, network: LorawanNetwork): void {
  countChannel(draft, 'uplink')
  const { memory, codecs } = draft.context
  const envelope = parseUplink(network, message.payload)
  if ('type' in envelope) {
    setAside(draft, message, envelope)
    return
  }
  const { devEui } = envelope
  const sensorId = memory.sensorsByDevEui.get(devEui)
  if (sensorId === undefined) {
    const detail = `No sensor has the DevEUI ${devEui}; once one has, this can be replayed`
    setAside(draft, message, { reason: 'unknown-sensor', detail })
    return
  }
  const kind = knownKind(draft, sensorId)
  if ('reason' in kind) {
    setAside(draft, message, { ...kind, sensorId })
    return
  }
  const codecName = memory.sensors.get(sensorId)?.lorawan?.codec ?? null
  const codec = codecName === null ? null : codecs.get(codecName)
  if (codec === undefined) {
    const detail = `There is no codec '${String(codecName)}', which the sensor is registered with`
    setAside(draft, message, { reason: 'invalid-payload', detail, sensorId })
    return
  }
  const decoded = decodeUplink(envelope, { kind, codec })
  if (decoded.type === 'nothing') draft.withoutMetric++
  take(draft, toSource(draft, message, lookAtSensor(draft, { id: sensorId, kind, message })), decoded)
}

function take(draft: BatchDraft, source: Source, decoded: Decoded): void {
  if (decoded.type === 'refused') {
    refuse(draft, source, decoded)
    return
  }
  if (decoded.type === 'presence') {
    const { message, sensor } = source
    // What comes again from quarantine says how it was then: that is better than nothing, not than what is known.
    if (message.credential === REPLAY_CREDENTIAL && sensor.presence !== null) return
    sensor.presence = decoded.presence
    touchSensor(draft, sensor)
    return
  }
  draft.unknownMetrics += decoded.unknown ?? 0
  if (decoded.type === 'nothing') return
  const { readings, toPayload = toOwnJson } = decoded
  for (let index = 0; index < readings.length; index++) {
    const reading = readings[index]
    if (!reading) continue
    if ('type' in reading) refuse(draft, source, reading)
    else takeReading(draft, source, { reading, index, toPayload: readings.length > 1 ? toPayload : null })
  }
}

/** Why this topic's sensor cannot be believed. An unknown one can: the broker let its gateway speak for it. */
function doubtSensor(draft: BatchDraft, { kind, sensorId }: Topic): Doubt | undefined {
  const registered = kindOf(draft, sensorId)
  if (registered === kind) return undefined
  if (registered !== undefined && draft.context.kinds.has(kind)) {
    return {
      reason: 'kind-mismatch',
      detail: `The sensor is registered as '${registered}', not as '${kind}'`,
    }
  }
  const { memory, limits } = draft.context
  if (registered === undefined && memory.sensors.size + draft.newSensors.length >= limits.sensors) {
    return { reason: 'unknown-sensor', detail: `No more than ${limits.sensors} sensors can be known` }
  }
  return undefined
}

/** The kind of a sensor that says nothing of it itself, or why there is none. */
function knownKind(draft: BatchDraft, sensorId: string): Kind | Doubt {
  const registered = kindOf(draft, sensorId)
  if (registered === undefined) {
    return {
      reason: 'unknown-sensor',
      detail: `There is no sensor '${sensorId}'; once there is, this can be replayed`,
    }
  }
  return draft.context.kinds.get(registered) ?? unknownKind(registered)
}

function unknownKind(kind: string): Doubt {
  return { reason: 'unknown-kind', detail: `There is no kind '${kind}'` }
}

/** One object of a batch as it was sent, so that it can be told from the others. */
function toOwnJson({ time, metrics }: RawReading): unknown {
  return time === undefined ? metrics : { ...metrics, time }
}

function countChannel(draft: BatchDraft, channel: string): void {
  draft.channels[channel] = (draft.channels[channel] ?? 0) + 1
}

function refuse(draft: BatchDraft, { message, sensor }: Source, refusal: Refused): void {
  const sensorId = sensor.sensor.id
  const { reason, detail, element, metric } = refusal
  const payload = element === undefined ? message.payload : Buffer.from(JSON.stringify(element))
  setAside(draft, message, { reason, detail, sensorId, payload, ...(metric === undefined ? {} : { metric }) })
}
