import {
  AppError,
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  SECOND_MS,
  toAppError,
  type City,
  type Clock,
} from '@pulso/model'
import type { Logger } from 'pino'
import { createBehaviours } from '../behaviour/create-behaviours.ts'
import type { PlannedSensor } from '../plan/planned-sensor.ts'
import { createPublisher, type Publisher } from '../publisher.ts'
import { createWindow, sleep } from '../window.ts'
import { backfill, telemetryTopic, toPayload, type Playable } from './backfill.ts'
import { askWhatIsKnown } from './ask-what-is-known.ts'

export interface VirtualCityOptions {
  sensors: readonly PlannedSensor[]
  city: City
  seed: number
  clock: Clock
  logger: Logger
  mqttUrl: string
  /** A gateway credential whose prefix covers the sensors' ids. */
  username: string
  password: string
  /** Where the box's API answers; asked for what it already has, so that only the gap is filled. */
  apiUrl?: string
  /** How much past the charts get; 0 for none. */
  backfillMs?: number
  /** How fast the city lives; with another than 1 nothing is back-filled, and readings carry the time they are sent at. */
  speed?: number
}

export interface VirtualCity {
  /**
   * Connects and sends a current reading of every sensor; resolves when those are acknowledged. Life and back-fill go on
   * behind it.
   * @throws AppError `mqtt-refused` when the broker refuses the credential
   */
  start(): Promise<void>
  /** Ends within half a second. */
  stop(): Promise<void>
}

const MAX_IN_FLIGHT = 200
/** Life is planned so far ahead. */
const AGENDA_MS = 20 * SECOND_MS
/** The longest that passes before the clock is looked at again. */
const TICK_MS = 200
/** A longer pause (a broken connection, a sleeping machine) is made up for in batches, not message by message. */
const LONG_PAUSE_MS = 5 * MINUTE_MS
/** Of this much past every healthy sensor has a report. */
const ALIVE_WITHIN_MS = HOUR_MS
const CLOSE_GRACE_MS = 250
/** Charts of these come first into the past: their index needs the last hour, the others only look better. */
const BACKFILL_ORDER = ['environment', 'carpark', 'lighting', 'parking']

export function createVirtualCity(options: VirtualCityOptions): VirtualCity {
  const { logger } = options
  const abort = new AbortController()
  let publisher: Publisher | undefined
  let life: Promise<void> = Promise.resolve()
  return {
    async start() {
      publisher = createPublisher(options)
      const run = createRun(options, publisher, abort.signal)
      try {
        await publisher.connect(abort.signal)
        const nowMs = await run.begin()
        life = run.live(nowMs).catch((error: unknown) => {
          if (!abort.signal.aborted)
            logger.error({ err: toAppError(error) }, 'the virtual city has come to a halt')
        })
      } catch (error) {
        if (!abort.signal.aborted) throw error
      }
    },
    async stop() {
      abort.abort()
      await publisher?.close(CLOSE_GRACE_MS)
      await life
    },
  }
}

interface Run {
  /** The first readings; @returns the time they were taken at. */
  begin(): Promise<number>
  /** Everything after, until aborted. */
  live(fromMs: number): Promise<void>
}

function createRun(options: VirtualCityOptions, publisher: Publisher, signal: AbortSignal): Run {
  const { clock, logger, speed = 1, apiUrl } = options
  const backfillMs = speed === 1 ? (options.backfillMs ?? DAY_MS) : 0
  const behaviours = createBehaviours(options)
  const playables = toPlayables(options.sensors, behaviours)
  const startedAtMs = clock.now()
  /** The city's own time: the clock's, or faster. */
  const cityNow = (): number => startedAtMs + (clock.now() - startedAtMs) * speed
  const isAborted = (): boolean => signal.aborted
  let known: ReadonlyMap<string, number> = new Map()

  /** A current reading of all that are alive; where an index is made of the last hour, the hour with it. */
  const sendCurrent = async (): Promise<number> => {
    const nowMs = cityNow()
    const window = createWindow(MAX_IN_FLIGHT)
    for (const { sensor, behaviour } of playables) {
      const recent = behaviour.reportTimes(nowMs - ALIVE_WITHIN_MS, nowMs)
      if (recent.length === 0) continue
      const withPast = backfillMs > 0 && sensor.kind === 'environment'
      const times = withPast ? [...new Set([...recent, nowMs])] : [nowMs]
      const objects = times.map((timeMs) => toPayload(behaviour, timeMs, speed === 1 ? timeMs : clock.now()))
      await window.add(() =>
        publisher.publish(telemetryTopic(sensor), objects.length === 1 ? objects[0] : objects),
      )
    }
    await window.idle()
    return nowMs
  }

  const fillPast = async (toMs: number): Promise<void> => {
    if (backfillMs <= 0) return
    const earliestMs = toMs - backfillMs
    const readings = await backfill({
      playables,
      publisher,
      fromMs: ({ id }) => Math.max(earliestMs, known.get(id) ?? earliestMs),
      toMs,
      logger,
      signal,
    })
    if (!signal.aborted) logger.info({ readings }, 'the past is filled in')
  }

  const play = async (fromMs: number): Promise<void> => {
    const window = createWindow(MAX_IN_FLIGHT)
    let cursorMs = fromMs
    while (!isAborted()) {
      if (speed === 1 && cityNow() - cursorMs > LONG_PAUSE_MS) {
        const untilMs = cityNow()
        const sinceMs = Math.max(cursorMs, untilMs - Math.max(backfillMs, LONG_PAUSE_MS))
        logger.info({ pauseMs: untilMs - cursorMs }, 'making up for a pause')
        cursorMs = await sendCurrent()
        await backfill({ playables, publisher, fromMs: () => sinceMs, toMs: untilMs, logger, signal })
        continue
      }
      const endMs = cursorMs + AGENDA_MS * Math.max(1, speed)
      for (const { timeMs, playable } of listReports(playables, cursorMs, endMs)) {
        while (cityNow() < timeMs && !isAborted()) {
          await sleep(Math.min(TICK_MS, Math.max(1, (timeMs - cityNow()) / speed)), signal)
        }
        if (isAborted()) return
        const payload = toPayload(playable.behaviour, timeMs, speed === 1 ? timeMs : clock.now())
        await window.add(() => publisher.publish(telemetryTopic(playable.sensor), payload))
      }
      cursorMs = endMs
    }
  }

  return {
    async begin() {
      if (apiUrl && backfillMs > 0) {
        known = await askWhatIsKnown({
          apiUrl,
          playables,
          earliestMs: cityNow() - backfillMs,
          logger,
          signal,
        })
      }
      const nowMs = await sendCurrent()
      logger.info({ sensors: playables.length }, 'the virtual city is alive')
      return nowMs
    },
    async live(fromMs) {
      await Promise.all([play(fromMs), fillPast(fromMs)])
    },
  }
}

function toPlayables(
  sensors: readonly PlannedSensor[],
  behaviours: ReturnType<typeof createBehaviours>,
): Playable[] {
  return sensors
    .map((sensor) => {
      const behaviour = behaviours.get(sensor.id)
      if (!behaviour) throw new AppError('no-behaviour', `The sensor '${sensor.id}' has no behaviour`)
      return { sensor, behaviour }
    })
    .sort((a, b) => BACKFILL_ORDER.indexOf(a.sensor.kind) - BACKFILL_ORDER.indexOf(b.sensor.kind))
}

/** All reports in (fromMs, toMs], in the order of time. */
function listReports(
  playables: readonly Playable[],
  fromMs: number,
  toMs: number,
): { timeMs: number; playable: Playable }[] {
  return playables
    .flatMap((playable) =>
      playable.behaviour.reportTimes(fromMs, toMs).map((timeMs) => ({ timeMs, playable })),
    )
    .sort((a, b) => a.timeMs - b.timeMs)
}
