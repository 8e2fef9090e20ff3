import {
  AppError,
  SECOND_MS,
  toAppError,
  toIsoTime,
  toTopic,
  validateValues,
  WEEK_MS,
  type Clock,
  type Kind,
} from '@pulso/model'
import carpark from '@pulso/model/kinds/carpark'
import environment from '@pulso/model/kinds/environment'
import type { Logger } from 'pino'
import { createPublisher, type Publisher } from '../publisher.ts'
import { createWindow, sleep } from '../window.ts'
import { toClockPastSetting, type ClockLimits } from './clock-limits.ts'
import type { RecordedRow, ReplaySource, TimeRange } from './source.ts'

export interface ReplayOptions extends TimeRange {
  source: ReplaySource
  /** How many times faster than it was recorded, or as fast as the broker acknowledges. */
  speed: number | 'max'
  clock: Clock
  logger: Logger
  mqttUrl: string
  /** A credential that may publish for all of the source's sensors. */
  username: string
  password: string
  /** Send the recorded times as they are, instead of shifting them by whole weeks to now. */
  keepTime?: boolean
  clockLimits?: ClockLimits
  /** Called about once a second. */
  onProgress?: (progress: ReplayProgress) => void
}

export interface ReplayProgress {
  /** Rows read, of how many in the whole recording. */
  rows: number
  rowCount: number
  /** Messages acknowledged. */
  messages: number
  /** Recorded time that the replay has come to. */
  recordedMs: number
}

export interface ReplaySummary {
  /** False when it was stopped before its end. */
  finished: boolean
  rows: number
  /** Messages that the broker has acknowledged. */
  messages: number
  durationMs: number
  shiftMs: number
  /** Rows that the box keeps aside, by reason, as the kinds' own rules say: `clock`, `out-of-range`, `over-capacity`… */
  refused: Readonly<Record<string, number>>
  /** Rows and cells of the recording that could not be read. */
  malformed: number
}

export interface ReplayPlan {
  /** Added to every recorded time: whole weeks. */
  shiftMs: number
  /** First and last time as they will be sent. */
  firstMs: number
  lastMs: number
  /** What should be known before starting, with what to do about it. */
  warnings: readonly string[]
}

export interface Replay {
  /** What `start` will do. @throws AppError `replay-empty` when the range holds no row */
  plan(): Promise<ReplayPlan>
  /**
   * Plays to the end, or until `stop`.
   * @throws AppError `replay-empty`, `mqtt-refused`, `mqtt-publish-refused`
   */
  start(): Promise<ReplaySummary>
  stop(): Promise<void>
}

/** Messages not yet acknowledged: enough to fill group commits, few enough to stop at once. */
const MAX_IN_FLIGHT = 500
const MAX_FRUITLESS_CONNECTIONS = 3
const CLOSE_GRACE_MS = 250
const PROGRESS_EVERY_MS = SECOND_MS
const KINDS: ReadonlyMap<string, Kind> = new Map([carpark, environment].map((kind) => [kind.id, kind]))

/** Plays a recording through the front door, like the devices that were recorded. */
export function createReplay(options: ReplayOptions): Replay {
  const abort = new AbortController()
  const { source, logger } = options
  let publisher: Publisher | undefined
  let running: Promise<unknown> = Promise.resolve()

  const plan = (): Promise<ReplayPlan> => planReplay(options)
  const run = async (): Promise<ReplaySummary> => {
    const planned = await plan()
    for (const warning of planned.warnings) logger.warn(warning)
    publisher = createPublisher({ ...options, maxFruitlessConnections: MAX_FRUITLESS_CONNECTIONS })
    try {
      await publisher.connect(abort.signal)
      const summary = await play(options, { plan: planned, publisher, signal: abort.signal })
      logger.info(summary, 'the replay has ended')
      return summary
    } finally {
      await publisher.close(CLOSE_GRACE_MS)
    }
  }
  return {
    plan,
    start() {
      const started = run().catch((error: unknown) => {
        if (abort.signal.aborted) return emptySummary(source)
        throw toAppError(error)
      })
      running = started.catch(() => undefined)
      return started
    },
    async stop() {
      abort.abort()
      await publisher?.close(CLOSE_GRACE_MS)
      await running
    },
  }
}

async function planReplay({
  source,
  clock,
  keepTime,
  clockLimits,
  fromMs,
  toMs,
}: ReplayOptions): Promise<ReplayPlan> {
  const [first, last] = await findEnds(source, { ...optional({ fromMs, toMs }) })
  const nowMs = clock.now()
  const shiftMs = keepTime ? 0 : Math.floor((nowMs - last) / WEEK_MS) * WEEK_MS
  const warnings: string[] = []
  if (source.malformed.count > 0) {
    warnings.push(
      `${source.malformed.count} rows or cells cannot be read and are passed over: ${source.malformed.examples.slice(0, 5).join('; ')}`,
    )
  }
  const ageMs = nowMs - (first + shiftMs)
  if (clockLimits && ageMs > clockLimits.pastMs) {
    warnings.push(
      `Rows from ${toIsoTime(first + shiftMs)} on are older than the box takes: it will keep those aside with the reason ` +
        `'clock'. To have them all, start the box with ${toClockPastSetting(ageMs)}`,
    )
  }
  if (clockLimits && -(nowMs - (last + shiftMs)) > clockLimits.futureMs) {
    warnings.push(
      `Rows up to ${toIsoTime(last + shiftMs)} lie in the future: the box will keep those aside as 'clock'`,
    )
  }
  return { shiftMs, firstMs: first + shiftMs, lastMs: last + shiftMs, warnings }
}

/** Recorded time of the first and last row of the range. */
async function findEnds(source: ReplaySource, range: TimeRange): Promise<readonly [number, number]> {
  if (range.fromMs === undefined && range.toMs === undefined) return [source.firstMs, source.lastMs]
  let [first, last] = [Infinity, -Infinity]
  for await (const { timeMs } of source.rows(range)) {
    first = Math.min(first, timeMs)
    last = Math.max(last, timeMs)
  }
  if (first <= last) return [first, last]
  throw new AppError(
    'replay-empty',
    `The recording has no row in that range: it goes from ${toIsoTime(source.firstMs)} to ${toIsoTime(source.lastMs)}`,
  )
}

async function play(
  options: ReplayOptions,
  { plan, publisher, signal }: { plan: ReplayPlan; publisher: Publisher; signal: AbortSignal },
): Promise<ReplaySummary> {
  const { source, speed, clock, clockLimits, onProgress, fromMs, toMs } = options
  const sensors = new Map(source.sensors.map((sensor) => [sensor.id, sensor]))
  const window = createWindow(MAX_IN_FLIGHT)
  const refused: Record<string, number> = {}
  const count = (reason: string): void => {
    refused[reason] = (refused[reason] ?? 0) + 1
  }
  const startedAt = performance.now()
  let [rows, messages, lastProgressAt] = [0, 0, startedAt]

  const send = async (row: RecordedRow): Promise<void> => {
    const sensor = sensors.get(row.sensorId)
    const kind = KINDS.get(sensor?.kind ?? '')
    if (!sensor || !kind) throw new AppError('internal', `No sensor for the row of ${row.sensorId}`)
    const timeMs = row.timeMs + plan.shiftMs
    const ageMs = clock.now() - timeMs
    if (clockLimits && (ageMs > clockLimits.pastMs || -ageMs > clockLimits.futureMs)) count('clock')
    else {
      const known = { values: {}, attributes: sensor.attributes }
      for (const { reason } of validateValues(kind, row.values, known).rejections) count(reason)
    }
    const topic = toTopic({ kind: kind.id, sensorId: sensor.id, channel: 'telemetry' })
    await window.add(async () => {
      await publisher.publish(topic, { time: toIsoTime(timeMs), ...row.values })
      messages += 1
    })
    rows += 1
  }

  const report = (row: RecordedRow): void => {
    if (performance.now() - lastProgressAt < PROGRESS_EVERY_MS) return
    lastProgressAt = performance.now()
    onProgress?.({ rows, rowCount: source.rowCount, messages, recordedMs: row.timeMs })
  }

  try {
    for await (const row of source.rows(optional({ fromMs, toMs }))) {
      if (speed !== 'max') {
        const dueAt = startedAt + (row.timeMs + plan.shiftMs - plan.firstMs) / speed
        for (
          let waitMs = dueAt - performance.now();
          waitMs > 0 && !signal.aborted;
          waitMs = dueAt - performance.now()
        ) {
          await sleep(Math.min(waitMs, PROGRESS_EVERY_MS), signal)
          report(row)
        }
      }
      if (signal.aborted) break
      await send(row)
      report(row)
    }
    await window.idle()
  } catch (error) {
    if (!signal.aborted) throw error
  }
  return {
    finished: !signal.aborted,
    rows,
    messages,
    durationMs: Math.round(performance.now() - startedAt),
    shiftMs: plan.shiftMs,
    refused,
    malformed: source.malformed.count,
  }
}

function emptySummary(source: ReplaySource): ReplaySummary {
  const { count } = source.malformed
  return { finished: false, rows: 0, messages: 0, durationMs: 0, shiftMs: 0, refused: {}, malformed: count }
}

/** Leaves out what is undefined, for optional properties that may be absent but not undefined. */
function optional({ fromMs, toMs }: { fromMs: number | undefined; toMs: number | undefined }): TimeRange {
  return { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) }
}
