import { toIsoTime, toTopic } from '@pulso/model'
import type { Logger } from 'pino'
import type { Behaviour } from '../behaviour/behaviour.ts'
import type { PlannedSensor } from '../plan/planned-sensor.ts'
import type { Publisher } from '../publisher.ts'
import { createWindow, sleep } from '../window.ts'

/** Objects of one message. */
const BATCH_SIZE = 200
/** Messages not yet acknowledged. */
const MAX_IN_FLIGHT = 4
/** The past is in no hurry: it must not crowd out what happens now. */
const OBJECTS_PER_SECOND = 4_000
const PROGRESS_EVERY_MS = 10_000

export interface Playable {
  sensor: PlannedSensor
  behaviour: Behaviour
}

export interface BackfillOptions {
  playables: readonly Playable[]
  publisher: Publisher
  /** The reports after this time, per sensor. */
  fromMs: (sensor: PlannedSensor) => number
  toMs: number
  logger: Logger
  signal: AbortSignal
}

/** Sends the past of all sensors as batches, and returns when it is acknowledged, or soon after an abort. */
export async function backfill({
  playables,
  publisher,
  fromMs,
  toMs,
  logger,
  signal,
}: BackfillOptions): Promise<number> {
  const window = createWindow(MAX_IN_FLIGHT)
  let [readings, lastProgressMs] = [0, performance.now()]
  for (const [index, { sensor, behaviour }] of playables.entries()) {
    const times = behaviour.reportTimes(fromMs(sensor), toMs)
    for (let start = 0; start < times.length; start += BATCH_SIZE) {
      if (signal.aborted) return readings
      const batch = times.slice(start, start + BATCH_SIZE).map((timeMs) => toPayload(behaviour, timeMs))
      await window.add(() => publisher.publish(telemetryTopic(sensor), batch))
      readings += batch.length
      await sleep((batch.length / OBJECTS_PER_SECOND) * 1_000, signal)
    }
    if (performance.now() - lastProgressMs >= PROGRESS_EVERY_MS) {
      lastProgressMs = performance.now()
      logger.info({ sensors: index + 1, of: playables.length, readings }, 'filling in the past')
    }
  }
  await window.idle()
  return readings
}

export function telemetryTopic({ kind, id }: PlannedSensor): string {
  return toTopic({ kind, sensorId: id, channel: 'telemetry' })
}

/** A message's object: what the sensor says at that time. */
export function toPayload(behaviour: Behaviour, timeMs: number, sentAtMs = timeMs): Record<string, unknown> {
  return { time: toIsoTime(sentAtMs), ...behaviour.valuesAt(timeMs) }
}
