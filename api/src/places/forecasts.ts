import {
  createLocalClock,
  DAY_MS,
  forecastFree,
  HOUR_MS,
  learnPlace,
  MINUTE_MS,
  toAppError,
  toFreeSeries,
  WEEK_MS,
  type Clock,
  type ForecastAnswer,
  type LearntPlace,
} from '@pulso/model'
import type { AggregatesQueries } from '@pulso/stores'
import type { Logger } from 'pino'
import { setTimeout as delay } from 'node:timers/promises'
import { readFreePoints, toSource } from './history.ts'
import type { ForecastPace } from './pace.ts'
import { tallyOf, type Place } from './place.ts'
import type { Places } from './places.ts'

/** How far back the usual is looked for: what was there in another season is not usual any more. */
const HISTORY_MS = 5 * WEEK_MS
/** What is learnt holds for a day; a place whose history could not be read is tried again after a while. */
const LEARN_EVERY_MS = DAY_MS
const RETRY_MS = 10 * MINUTE_MS
/** Places that are learnt; in larger cities the rest has no forecast. Each takes some tens of kilobytes. */
const MAX_PLACES = 2_000
/** Trends need this much of what was before the start. */
const RECALL_MS = HOUR_MS

export interface Forecasts {
  start(): void
  stop(): Promise<void>
  /** @param question of a place whose free spaces are known now */
  forecast(place: Place, question: { nowMs: number; atMs: number }): ForecastAnswer
}

export interface ForecastsOptions {
  places: Places
  /** Absent where nobody sums up: then nothing is learnt. */
  aggregates: AggregatesQueries | undefined
  timeZone: string
  clock: Clock
  logger: Logger
  pace: ForecastPace
}

/** Learns, one place after the other and in the background, when it is usually free. */
export function createForecasts(options: ForecastsOptions): Forecasts {
  const { places, aggregates, timeZone, clock, logger, pace } = options
  const localClock = createLocalClock(timeZone)
  const learnt = new Map<string, { place: LearntPlace | undefined; nextMs: number }>()
  const ending = new AbortController()
  let running: Promise<void> | undefined
  let isFailing = false
  let isToldOfMany = false

  const pause = (durationMs: number): Promise<void> =>
    delay(durationMs, undefined, { signal: ending.signal, ref: false })

  const learn = async (place: Place): Promise<void> => {
    const source = toSource(place)
    if (!source || !aggregates) return
    const toMs = clock.now()
    const points = await readFreePoints({
      source,
      aggregates,
      fromMs: toMs - HISTORY_MS,
      toMs,
      pause: () => pause(pace.pieceMs),
    })
    const series = toFreeSeries(points, { fromMs: toMs - HISTORY_MS, toMs, holdMs: source.holdMs })
    learnt.set(place.key, { place: learnPlace(series, localClock), nextMs: toMs + LEARN_EVERY_MS })
    places.recall(
      place.key,
      points.filter(({ timeMs }) => timeMs > toMs - RECALL_MS),
    )
  }

  const tryToLearn = async (place: Place): Promise<void> => {
    try {
      await learn(place)
      if (isFailing) logger.info('forecasts can be learnt again')
      isFailing = false
    } catch (error) {
      if (ending.signal.aborted) throw error
      // Once an outage, not once a place; what was learnt before goes on being used.
      if (!isFailing)
        logger.warn({ err: toAppError(error), place: place.key }, 'a forecast could not be learnt')
      isFailing = true
      learnt.set(place.key, { place: learnt.get(place.key)?.place, nextMs: clock.now() + RETRY_MS })
    }
  }

  const round = async (): Promise<void> => {
    const all = places.list()
    if (all.length > MAX_PLACES && !isToldOfMany) {
      isToldOfMany = true
      logger.warn({ places: all.length, most: MAX_PLACES }, 'not every place gets a forecast')
    }
    const keys = new Set(all.map(({ key }) => key))
    for (const key of learnt.keys()) if (!keys.has(key)) learnt.delete(key)
    for (const place of all.slice(0, MAX_PLACES)) {
      if ((learnt.get(place.key)?.nextMs ?? -Infinity) > clock.now()) continue
      await tryToLearn(place)
      await pause(pace.placeMs)
    }
  }

  const run = async (): Promise<void> => {
    try {
      await pause(pace.startMs)
      for (;;) {
        await round()
        await pause(pace.roundMs)
      }
    } catch (error) {
      if (!ending.signal.aborted)
        logger.error({ err: toAppError(error) }, 'forecasts are not learnt any more')
    }
  }

  return {
    start() {
      if (aggregates) running ??= run()
    },
    async stop() {
      ending.abort()
      await running
    },
    forecast(place, { nowMs, atMs }) {
      const { free, total, freshness } = tallyOf(place)
      if (free === null || freshness !== 'fresh') return { forecast: null, reason: 'unknown-now' }
      const known = learnt.get(place.key)?.place
      if (!known) return { forecast: null, reason: 'not-learnt-yet' }
      return forecastFree(known, { nowMs, free, total, atMs })
    },
  }
}
