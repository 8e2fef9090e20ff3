import { AppError, toAppError, toIsoTime } from '@pulso/model'
import { createPublisher, type Publisher } from '../publisher.ts'
import { toClockPastSetting } from './clock-limits.ts'
import type { ReplayOptions, ReplayPlan, ReplaySummary } from './options.ts'
import { play } from './play.ts'
import { planSegments, type RecordedSpan } from './segments.ts'
import { optionalRange, type ReplaySource, type TimeRange } from './source.ts'

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

const MAX_FRUITLESS_CONNECTIONS = 3
const CLOSE_GRACE_MS = 250

/** Plays a recording through the front door, like the devices that were recorded. */
export function createReplay(options: ReplayOptions): Replay {
  const abort = new AbortController()
  const { source, logger } = options
  let publisher: Publisher | undefined
  let running: Promise<unknown> = Promise.resolve()

  let planned: Promise<ReplayPlan> | undefined
  // Made once: a range is found by reading the recording, and what was shown to a person is what is played.
  const plan = (): Promise<ReplayPlan> => (planned ??= planReplay(options))
  const run = async (): Promise<ReplaySummary> => {
    const whole = await plan()
    for (const warning of whole.warnings) logger.warn(warning)
    publisher = createPublisher({ ...options, maxFruitlessConnections: MAX_FRUITLESS_CONNECTIONS })
    try {
      await publisher.connect(abort.signal)
      const summary = await play(options, { plan: whole, publisher, signal: abort.signal })
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
  const span = await findSpan(source, optionalRange({ fromMs, toMs }))
  const nowMs = clock.now()
  const unshifted = { fromMs: span.firstMs, toMs: span.lastMs + 1, shiftMs: 0 }
  const segments = keepTime ? [unshifted] : planSegments(span, nowMs)
  const shownFromMs = Math.min(...segments.map((segment) => segment.fromMs + segment.shiftMs))
  const shownToMs = Math.max(...segments.map((segment) => segment.toMs - 1 + segment.shiftMs))
  const warnings: string[] = []
  if (source.malformed.count > 0) {
    const examples = source.malformed.examples.slice(0, 5).join('; ')
    warnings.push(`${source.malformed.count} rows or cells cannot be read and are passed over: ${examples}`)
  }
  if (clockLimits && nowMs - shownFromMs > clockLimits.pastMs) {
    warnings.push(
      `Rows from ${toIsoTime(shownFromMs)} on are older than the box takes: it will keep those aside with the reason ` +
        `'clock'. To have them all, start the box with ${toClockPastSetting(nowMs - shownFromMs)}`,
    )
  }
  if (clockLimits && shownToMs - nowMs > clockLimits.futureMs) {
    warnings.push(
      `Rows up to ${toIsoTime(shownToMs)} lie in the future: the box will keep those aside as 'clock'`,
    )
  }
  return { segments, firstMs: shownFromMs, lastMs: shownToMs, warnings }
}

/** Recorded time of the first and last row of the range. */
async function findSpan(source: ReplaySource, range: TimeRange): Promise<RecordedSpan> {
  if (range.fromMs === undefined && range.toMs === undefined) return source
  let [firstMs, lastMs] = [Infinity, -Infinity]
  for await (const { timeMs } of source.rows(range)) {
    firstMs = Math.min(firstMs, timeMs)
    lastMs = Math.max(lastMs, timeMs)
  }
  if (firstMs <= lastMs) return { firstMs, lastMs }
  throw new AppError(
    'replay-empty',
    `The recording has no row in that range: it goes from ${toIsoTime(source.firstMs)} to ${toIsoTime(source.lastMs)}`,
  )
}

function emptySummary(source: ReplaySource): ReplaySummary {
  const { count } = source.malformed
  return { finished: false, rows: 0, messages: 0, durationMs: 0, segments: [], refused: {}, malformed: count }
}
