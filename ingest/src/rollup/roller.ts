import { setTimeout as sleep } from 'node:timers/promises'
import {
  createCalendar,
  messageOf,
  toAppError,
  type AppError,
  type Clock,
  type Kinds,
  type Sensor,
  type Zone,
} from '@pulso/model'
import type { AggregatesQueries, DueHour, Rollups, RollupsRegistry } from '@pulso/stores'
import type { Logger } from 'pino'
import type { Registry as MetricsRegistry } from 'prom-client'
import { createRetry } from '../retry.ts'
import { createAnswers } from './answer.ts'
import { createDueHours, type StoredBatch } from './due-hours.ts'
import { DEFAULT_ROLLUP_LIMITS, type RollupLimits } from './limits.ts'
import { createRollupMetrics } from './metrics.ts'
import { createPlaces, toHoldMs } from './places.ts'
import { createProgress } from './progress.ts'
import { createRebuilds, type RebuildAnswer, type RebuildRequest } from './rebuild.ts'
import { createForgetter, type Retention } from './retention.ts'
import type { RollupContext } from './context.ts'
import { createRollupWork } from './work.ts'

export interface RollerOptions {
  rollups: Rollups
  registry: RollupsRegistry
  kinds: Kinds
  zones: readonly Zone[]
  /** IANA name: hours and days are the city's. */
  timeZone: string
  retention: Retention
  clock: Clock
  logger: Logger
  metrics: MetricsRegistry
  /** 0 ≤ x < 1 */
  random?: () => number
  /** What differs from `DEFAULT_ROLLUP_LIMITS`. */
  limits?: Partial<RollupLimits>
}

/** What ingest tells of what it stores. */
export interface RollupWatch {
  /** Sensors that became known or were changed, before batches that need them. */
  know(sensors: Iterable<Sensor>): void
  /** After the batch's readings are stored, also when they were so before a crash. */
  take(batch: StoredBatch, sensors: ReadonlyMap<string, Sensor>): void
  /** What goes into the registry with the batches' position. */
  unsettled(): DueHour[]
  settled(hours: readonly DueHour[]): void
}

export interface RollupStatus {
  state: 'running' | 'retrying' | 'stopped'
  /** Why it tries again. */
  error: string | null
  /** By how much the stored buckets of 5 minutes are behind. */
  lagMs: number
  /** Hours to be worked out anew, because readings came late or a rebuild asks for it. */
  dueHours: { changed: number; rebuild: number }
}

export interface Roller extends AggregatesQueries {
  readonly watch: RollupWatch
  /** Reads what the registry remembers: to be done before ingest starts. */
  load(): Promise<void>
  start(): void
  /** Does not wait long for what is under way: it is done again after the next start. */
  stop(): Promise<void>
  status(): RollupStatus
  sizes: Rollups['sizes']
  /** @throws AppError `unknown-kind` */
  rebuild(request: RebuildRequest): Promise<RebuildAnswer>
  /** @returns how many hours are no longer due */
  cancelRebuild(): Promise<number>
  /** All that is due at this moment; instead of `start`, where nothing else runs. */
  catchUp(onProgress?: () => void): Promise<void>
}

/**
 * Keeps the aggregates beside the readings, in the background: buckets that have closed, hours that late readings have
 * changed, and nothing that is older than it should be kept.
 */
export function createRoller(options: RollerOptions): Roller {
  const { rollups, registry, kinds, clock, logger } = options
  const limits = { ...DEFAULT_ROLLUP_LIMITS, ...options.limits }
  const calendar = createCalendar(options.timeZone)
  const progress = createProgress(registry)
  const dueHours = createDueHours({ kinds, calendar })
  const places = createPlaces({ kinds, zones: options.zones, rollups, maxHoldMs: limits.holdMs })
  const metrics = createRollupMetrics(options.metrics, () => ({
    lagMs: () => work.lagMs(),
    dueHours: () => dueHours.counts(),
    sizes: () => rollups.sizes(),
  }))
  const context: RollupContext = {
    rollups,
    registry,
    kinds,
    calendar,
    places,
    progress,
    dueHours,
    clock,
    logger,
    metrics,
    limits,
    retention: options.retention,
  }
  const work = createRollupWork(context)
  const rebuilds = createRebuilds(context)
  const forget = createForgetter(context)
  const stopping = new AbortController()
  let failure: AppError | undefined
  let running: Promise<void> | undefined
  let forgetAtMs = clock.now()

  const retry = createRetry({
    signal: stopping.signal,
    random: options.random ?? Math.random,
    firstMs: limits.retryFirstMs,
    longestMs: limits.retryLongestMs,
    onFailure({ doing, attempt, delayMs, error }) {
      failure = error
      metrics.failures.inc()
      logger.warn({ err: error, doing, attempt, delayMs }, 'Aggregates are tried again')
    },
    onRecovery(doing) {
      failure = undefined
      logger.info({ doing }, 'Aggregates go on')
    },
  })

  /** When nothing else is to do, unless that lasts for too long. */
  const forgetOld = async (isMore: boolean): Promise<void> => {
    if (clock.now() < forgetAtMs + (isMore ? limits.forgetEveryMs : 0)) return
    try {
      await forget()
      forgetAtMs = clock.now() + limits.forgetEveryMs
    } catch (error) {
      // What is too old may stay a little longer; that is no reason to fall behind.
      forgetAtMs = clock.now() + limits.forgetAgainMs
      metrics.failures.inc()
      logger.warn({ err: error }, 'What is old could not be deleted, and will be tried again')
    }
  }

  /** @returns whether there is more to do at once */
  const round = async (): Promise<boolean> => {
    const [isBehind, isDue] = await retry('keep aggregates', async () => {
      // Though the one fails, the other has its turn.
      const outcomes = await Promise.allSettled([work.advance()])
      outcomes.push(...(await Promise.allSettled([work.redo()])))
      return outcomes.map((outcome) => {
        if (outcome.status === 'rejected') throw outcome.reason
        return outcome.value
      })
    })
    const isMore = isBehind === true || isDue === true
    await forgetOld(isMore)
    return isMore
  }

  const report = createReporter({ clock, logger, lagMs: () => work.lagMs() })

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const startedMs = performance.now()
      const isMore = await round()
      report()
      const tookMs = performance.now() - startedMs
      const pauseMs = isMore
        ? Math.min(limits.pauseMostMs, Math.max(limits.pauseLeastMs, tookMs))
        : limits.everyMs
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }

  return {
    watch: {
      know: (sensors) => places.know(sensors),
      take: (batch, sensors) =>
        dueHours.take(batch, (id) => {
          const sensor = sensors.get(id)
          return (sensor && toHoldMs(sensor, { kinds, maxHoldMs: limits.holdMs })) ?? 0
        }),
      unsettled: () => dueHours.unsettled(),
      settled: (hours) => dueHours.settled(hours),
    },
    async load() {
      await progress.load()
      dueHours.add(await registry.listDueHours())
      for (const kind of kinds.keys()) {
        const untilMs = progress.untilMs(kind, '5m')
        if (untilMs !== undefined) dueHours.claim(kind, untilMs)
      }
    },
    start() {
      running ??= run().catch((error: unknown) => {
        if (toAppError(error).code !== 'stopped')
          logger.fatal({ err: error }, 'Aggregates are no longer kept')
      })
    },
    async stop() {
      stopping.abort()
      await Promise.race([running, sleep(limits.stopMs, undefined, { ref: false })])
    },
    async catchUp(onProgress) {
      while (await round()) onProgress?.()
    },
    status: () => ({
      state: stopping.signal.aborted ? 'stopped' : failure ? 'retrying' : 'running',
      error: failure ? messageOf(failure) : null,
      lagMs: work.lagMs(),
      dueHours: dueHours.counts(),
    }),
    sizes: () => rollups.sizes(),
    rebuild: (request) => rebuilds.request(request, work.coveredFromMs),
    cancelRebuild: () => rebuilds.cancel(),
    ...createAnswers(context),
  }
}

/** Says now and then how a long work goes, and when it is done. */
function createReporter({
  clock,
  logger,
  lagMs,
}: {
  clock: Clock
  logger: Logger
  lagMs: () => number
}): () => void {
  const [longMs, everyMs] = [3_600_000, 10_000]
  let behindMs = 0
  let saidAtMs = -Infinity
  return () => {
    const lag = lagMs()
    if (behindMs > 0 && lag < longMs) {
      logger.info('Aggregates have caught up')
      behindMs = 0
    }
    if (lag < longMs || clock.now() - saidAtMs < everyMs) return
    behindMs = Math.max(behindMs, lag)
    saidAtMs = clock.now()
    const percent = Math.floor((1 - lag / behindMs) * 100)
    logger.info({ percent, behindHours: Math.round(lag / longMs) }, 'Aggregates are catching up')
  }
}
