import { AppError, SECOND_MS, toIsoTime, toTopic, validateValues, type Kind } from '@pulso/model'
import carpark from '@pulso/model/kinds/carpark'
import environment from '@pulso/model/kinds/environment'
import type { Publisher } from '../publisher.ts'
import { createWindow, sleep } from '../window.ts'
import type { ReplayOptions, ReplayPlan, ReplaySummary } from './options.ts'
import { followingSegments, type Segment } from './segments.ts'
import type { RecordedRow, RecordedSensor } from './source.ts'

/** Messages not yet acknowledged: enough to fill group commits, few enough to stop at once. */
const MAX_IN_FLIGHT = 500
const PROGRESS_EVERY_MS = SECOND_MS
const KINDS: ReadonlyMap<string, Kind> = new Map([carpark, environment].map((kind) => [kind.id, kind]))

export interface PlayContext {
  plan: ReplayPlan
  publisher: Publisher
  signal: AbortSignal
}

/** Sends the planned segments at the chosen speed and, when told to follow, what comes next in real time. */
export async function play(
  options: ReplayOptions,
  { plan, publisher, signal }: PlayContext,
): Promise<ReplaySummary> {
  const { source, clock, onProgress } = options
  const sensors = new Map(source.sensors.map((sensor) => [sensor.id, sensor]))
  const window = createWindow(MAX_IN_FLIGHT)
  const refused: Record<string, number> = {}
  const startedAt = performance.now()
  let [rows, messages, lastProgressAt] = [0, 0, startedAt]

  const send = async (row: RecordedRow, timeMs: number): Promise<void> => {
    const { sensor, kind } = describe(row, sensors)
    for (const reason of whyRefused({ row, sensor, kind, ageMs: clock.now() - timeMs }, options)) {
      refused[reason] = (refused[reason] ?? 0) + 1
    }
    const topic = toTopic({ kind: kind.id, sensorId: sensor.id, channel: 'telemetry' })
    await window.add(async () => {
      await publisher.publish(topic, { time: toIsoTime(timeMs), ...row.values })
      messages += 1
    })
    rows += 1
  }
  const report = ({ timeMs: recordedMs }: RecordedRow): void => {
    if (performance.now() - lastProgressAt < PROGRESS_EVERY_MS) return
    lastProgressAt = performance.now()
    onProgress?.({ rows, rowCount: source.rowCount, messages, recordedMs })
  }
  const playSegment = async (segment: Segment, dueInMs: (timeMs: number) => number): Promise<void> => {
    for await (const row of source.rows(segment)) {
      const timeMs = row.timeMs + segment.shiftMs
      // In steps, so that a clock that is set meanwhile is noticed.
      for (let waitMs = dueInMs(timeMs); waitMs > 0 && !signal.aborted; waitMs = dueInMs(timeMs)) {
        await sleep(Math.min(waitMs, PROGRESS_EVERY_MS), signal)
        report(row)
      }
      if (signal.aborted) return
      await send(row, timeMs)
      report(row)
    }
  }

  try {
    const { speed } = options
    const pace = (timeMs: number): number =>
      speed === 'max' ? 0 : startedAt + (timeMs - plan.firstMs) / speed - performance.now()
    for (const segment of plan.segments) await playSegment(segment, pace)
    await window.idle()
    if (options.follow && !options.keepTime) {
      const realTime = (timeMs: number): number => timeMs - clock.now()
      for (const segment of followingSegments(toSpan(plan.segments), plan.segments)) {
        if (signal.aborted) break
        await playSegment(segment, realTime)
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  return {
    finished: !signal.aborted,
    rows,
    messages,
    durationMs: Math.round(performance.now() - startedAt),
    segments: plan.segments,
    refused,
    malformed: source.malformed.count,
  }
}

function toSpan(segments: readonly Segment[]): { firstMs: number; lastMs: number } {
  return {
    firstMs: Math.min(...segments.map(({ fromMs }) => fromMs)),
    lastMs: Math.max(...segments.map(({ toMs }) => toMs)) - 1,
  }
}

function describe(
  row: RecordedRow,
  sensors: ReadonlyMap<string, RecordedSensor>,
): { sensor: RecordedSensor; kind: Kind } {
  const sensor = sensors.get(row.sensorId)
  const kind = KINDS.get(sensor?.kind ?? '')
  if (!sensor || !kind) throw new AppError('internal', `No sensor for the row of ${row.sensorId}`)
  return { sensor, kind }
}

/** What the box will say of the row, by the same rules that it has. */
function whyRefused(
  { row, sensor, kind, ageMs }: { row: RecordedRow; sensor: RecordedSensor; kind: Kind; ageMs: number },
  { clockLimits }: ReplayOptions,
): string[] {
  if (clockLimits && (ageMs > clockLimits.pastMs || -ageMs > clockLimits.futureMs)) return ['clock']
  const known = { values: {}, attributes: sensor.attributes }
  return validateValues(kind, row.values, known).rejections.map(({ reason }) => reason)
}
