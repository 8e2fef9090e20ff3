import {
  formatDuration,
  parseTime,
  toIsoTime,
  validateValues,
  type ClockLimits,
  type QuarantineReason,
  type Rejection,
} from '@pulso/model'
import type { KeptMessage } from '@pulso/stores'
import { setAside, touchSensor, type BatchDraft } from './batch-draft.ts'
import type { DecoderContext, RawReading } from './decoders/index.ts'
import { applyReading, type SensorDraft } from './sensor-draft.ts'

/** Whose message it is. */
export interface Source extends DecoderContext {
  message: KeptMessage
  sensor: SensorDraft
}

export interface Element {
  reading: RawReading
  /** Its place in the message. */
  index: number
  /** How it would be sent alone; `null` where the message as a whole is set aside. */
  toPayload: ((reading: RawReading) => unknown) | null
}

/** Validates one reading and applies it to the draft; what is wrong is set aside. */
export function takeReading(draft: BatchDraft, source: Source, element: Element): void {
  const { message, kind, sensor } = source
  const { reading, index } = element
  // The journal has reserved a millisecond for each object of a batch.
  const timeMs = reading.time === undefined ? message.receivedAtMs + index : parseTime(reading.time)
  const wrongTime = judgeTime(timeMs, message.receivedAtMs, draft.context.clockLimits)
  if (timeMs === undefined || wrongTime) {
    refuseAll(draft, source, { ...element, rejections: [wrongTime ?? INVALID_TIME] })
    return
  }
  const known = { values: sensor.known, attributes: sensor.sensor.attributes }
  const { values, rejections, unknown } = validateValues(kind, reading.metrics, known)
  draft.unknownMetrics += unknown.length
  if (rejections.length > 0) refuseAll(draft, source, { ...element, rejections })
  if (!hasAny(values)) return
  const kept = { sensorId: sensor.sensor.id, timeMs, receivedAtMs: message.receivedAtMs, values }
  touchSensor(draft, sensor)
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

function refuseAll(
  draft: BatchDraft,
  { message, sensor }: Source,
  refusal: Element & { rejections: readonly (Omit<Rejection, 'metric'> & { metric?: string })[] },
): void {
  const { reading, index, toPayload, rejections } = refusal
  const own = toPayload && {
    payload: Buffer.from(JSON.stringify(toPayload(reading))),
    receivedAtMs: message.receivedAtMs + index,
  }
  for (const rejection of rejections)
    setAside(draft, message, { ...rejection, sensorId: sensor.sensor.id, ...own })
}

function hasAny(values: object): boolean {
  for (const name in values) if (name) return true
  return false
}
