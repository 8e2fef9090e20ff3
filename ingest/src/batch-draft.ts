import type { ClockLimits, Kind, Kinds, QuarantineReason, Sensor, UpChannel } from '@pulso/model'
import { REPLAY_CREDENTIAL, type IngestState, type KeptMessage, type QuarantineEntry } from '@pulso/stores'
import type { Codecs } from './codec.ts'
import { createIdentities, type Identities } from './identities.ts'
import type { IngestLimits } from './limits.ts'
import type { Memory } from './memory.ts'
import { createSensorDraft, toState, type SensorDraft } from './sensor-draft.ts'

/** What a batch is judged by. */
export interface BatchContext {
  kinds: Kinds
  codecs: Codecs
  memory: Memory
  clockLimits: ClockLimits
  limits: IngestLimits
}

/** All that a run of messages changes, worked out in memory. Nothing of it holds before it is committed. */
export interface BatchDraft {
  readonly context: BatchContext
  readonly identities: Identities
  /** By sensor id; those without a reading or presence so far are there for comparison only. */
  readonly sensors: Map<string, SensorDraft>
  /** Our own topics that were found good in this batch: a sensor keeps to one. */
  readonly ways: Map<string, OwnWay>
  readonly newSensors: Sensor[]
  readonly quarantine: QuarantineEntry[]
  quarantineBytes: number
  unknownMetrics: number
  /** Uplinks that were understood and say nothing that a kind measures. */
  withoutMetric: number
  /** Messages by channel. */
  readonly channels: Record<string, number>
}

/** What one of our own topics means while a batch lasts. */
export interface OwnWay {
  readonly channel: UpChannel
  readonly sensor: SensorDraft
}

export function createBatchDraft(context: BatchContext): BatchDraft {
  return {
    context,
    identities: createIdentities(),
    sensors: new Map(),
    ways: new Map(),
    newSensors: [],
    quarantine: [],
    quarantineBytes: 0,
    unknownMetrics: 0,
    withoutMetric: 0,
    channels: {},
  }
}

/** The sensor as the batch has it so far; one that nobody knows yet is made up, unplaced. */
export function lookAtSensor(
  draft: BatchDraft,
  { id, kind, message }: { id: string; kind: Kind; message: KeptMessage },
): SensorDraft {
  const known = draft.sensors.get(id)
  if (known?.kind === kind) return known
  const { memory } = draft.context
  const sensor = memory.sensors.get(id) ?? {
    id,
    kind: kind.id,
    name: null,
    position: null,
    attributes: {},
    createdAtMs: message.receivedAtMs,
  }
  const created = createSensorDraft(sensor, kind, memory.states.get(id))
  draft.sensors.set(id, created)
  return created
}

/** From here on the sensor counts as changed, and as known if it was not: one that only sent nonsense is not. */
export function touchSensor(draft: BatchDraft, sensor: SensorDraft): void {
  if (sensor.isTouched) return
  sensor.isTouched = true
  if (!draft.context.memory.sensors.has(sensor.sensor.id)) draft.newSensors.push(sensor.sensor)
}

/** The kind that a sensor has, be it by the registry or by this batch. */
export function kindOf(draft: BatchDraft, id: string): string | undefined {
  const known = draft.sensors.get(id)
  return known?.isTouched ? known.kind.id : draft.context.memory.sensors.get(id)?.kind
}

export function setAside(
  draft: BatchDraft,
  message: KeptMessage,
  entry: {
    reason: QuarantineReason
    detail: string
    sensorId?: string
    metric?: string
    payload?: Uint8Array
    /** What a reading without a time of its own would have for one, when that is not the message's. */
    receivedAtMs?: number
  },
): void {
  const { reason, detail, sensorId = null, metric = null, payload = message.payload } = entry
  const { topic, credential } = message
  const { receivedAtMs = message.receivedAtMs } = entry
  const kept: QuarantineEntry = { receivedAtMs, reason, detail, topic, sensorId, metric, payload }
  if (credential === REPLAY_CREDENTIAL) kept.isReturned = true
  draft.quarantine.push(kept)
  draft.quarantineBytes += payload.byteLength
}

export function toStates(draft: BatchDraft): IngestState[] {
  const states: IngestState[] = []
  for (const sensor of draft.sensors.values()) if (sensor.isTouched) states.push(toState(sensor))
  return states
}
