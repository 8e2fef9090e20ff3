import {
  formatDuration,
  parseTime,
  parseTopic,
  toIsoTime,
  validateValues,
  type ClockLimits,
  type Kind,
  type QuarantineReason,
  type Rejection,
  type Topic,
} from '@pulso/model'
import type { KeptMessage } from '@pulso/stores'
import { kindOf, lookAtSensor, setAside, touchSensor, type BatchDraft } from './batch-draft.ts'
import { DECODERS, type RawReading, type Refused } from './decoders/index.ts'
import { applyReading } from './sensor-draft.ts'

interface Source {
  message: KeptMessage
  kind: Kind
  sensorId: string
}

/** Decodes one message, validates it and applies it to the draft; what is wrong is set aside with its reason. */
export function takeMessage(draft: BatchDraft, message: KeptMessage): void {
  const topic = parseTopic(message.topic)
  if (!topic || topic.channel === 'command') {
    setAside(draft, message, { reason: 'invalid-payload', detail: 'The topic is none that ingest reads' })
    return
  }
  const { sensorId, channel } = topic
  draft.channels[channel] = (draft.channels[channel] ?? 0) + 1
  const kind = draft.context.kinds.get(topic.kind)
  const doubt = doubtSensor(draft, topic)
  if (!kind || doubt) {
    const unknownKind = `There is no kind '${topic.kind}'`
    setAside(draft, message, { ...(doubt ?? { reason: 'unknown-kind', detail: unknownKind }), sensorId })
    return
  }
  const source: Source = { message, kind, sensorId }
  const decoded = DECODERS[channel](message.payload, draft.context.limits)
  if (decoded.type === 'refused') refuse(draft, source, decoded)
  else if (decoded.type === 'presence') {
    lookAtSensor(draft, { id: sensorId, kind, message }).presence = decoded.presence
    touchSensor(draft, sensorId)
  } else if (decoded.type === 'readings') {
    const { readings } = decoded
    for (let index = 0; index < readings.length; index++) {
      const reading = readings[index]
      if (!reading) continue
      if ('type' in reading) refuse(draft, source, reading)
      else takeReading(draft, source, { reading, index, isBatch: readings.length > 1 })
    }
  }
}

/** Why this topic's sensor cannot be believed. An unknown one can: the broker let its gateway speak for it. */
function doubtSensor(
  draft: BatchDraft,
  { kind, sensorId }: Topic,
): { reason: QuarantineReason; detail: string } | undefined {
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

function takeReading(
  draft: BatchDraft,
  { message, kind, sensorId }: Source,
  { reading, index, isBatch }: { reading: RawReading; index: number; isBatch: boolean },
): void {
  const refuseAll = (rejections: readonly (Omit<Rejection, 'metric'> & { metric?: string })[]): void => {
    const own = isBatch ? { payload: toElementPayload(reading) } : {}
    for (const rejection of rejections) setAside(draft, message, { ...rejection, sensorId, ...own })
  }
  // The journal has reserved a millisecond for each object of a batch.
  const timeMs = reading.time === undefined ? message.receivedAtMs + index : parseTime(reading.time)
  const wrongTime = judgeTime(timeMs, message.receivedAtMs, draft.context.clockLimits)
  if (timeMs === undefined || wrongTime) {
    refuseAll([wrongTime ?? INVALID_TIME])
    return
  }
  const sensor = lookAtSensor(draft, { id: sensorId, kind, message })
  const known = { values: sensor.known, attributes: sensor.sensor.attributes }
  const { values, rejections, unknown } = validateValues(kind, reading.metrics, known)
  draft.unknownMetrics += unknown.length
  if (rejections.length > 0) refuseAll(rejections)
  if (!hasAny(values)) return
  const kept = { sensorId, timeMs, receivedAtMs: message.receivedAtMs, values }
  touchSensor(draft, sensorId)
  applyReading(sensor, kept)
  draft.identities.add(sensor, kept)
}

const INVALID_TIME = {
  reason: 'invalid-time',
  detail: 'time must be ISO 8601 with a zone, or milliseconds since 1970',
} as const

/** Compared with the time we received it, not with now: what waited in the journal is not late for that. */
function judgeTime(
  timeMs: number | undefined,
  receivedAtMs: number,
  { pastMs, futureMs }: ClockLimits,
): { reason: QuarantineReason; detail: string } | undefined {
  if (timeMs === undefined) return INVALID_TIME
  const aheadMs = timeMs - receivedAtMs
  if (aheadMs <= futureMs && aheadMs >= -pastMs) return undefined
  const [side, limitMs] = aheadMs > 0 ? ['ahead of', futureMs] : ['behind', pastMs]
  const apart = `${formatDuration(Math.abs(aheadMs))} ${side} our clock, more than ${formatDuration(limitMs)}`
  return { reason: 'clock', detail: `time ${toIsoTime(timeMs)} is ${apart}` }
}

function refuse(
  draft: BatchDraft,
  { message, sensorId }: Source,
  { reason, detail, element }: Refused,
): void {
  const own = element === undefined ? {} : { payload: Buffer.from(JSON.stringify(element)) }
  setAside(draft, message, { reason, detail, sensorId, ...own })
}

/** One object of a batch as it was sent, so that it can be told from the others. */
function toElementPayload({ time, metrics }: RawReading): Uint8Array {
  return Buffer.from(JSON.stringify(time === undefined ? metrics : { ...metrics, time }))
}

function hasAny(values: object): boolean {
  for (const name in values) if (name) return true
  return false
}
