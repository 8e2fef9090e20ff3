import { RESOLUTIONS, type Calendar, type Clock, type Kinds, type Resolution } from '@pulso/model'
import type { Rollups } from '@pulso/stores'
import type { Logger } from 'pino'
import type { DueHours } from './due-hours.ts'
import type { RollupMetrics } from './metrics.ts'
import type { Progress } from './progress.ts'

/** How long readings and aggregates are kept, in ms; `Infinity` for ever. */
export type Retention = Readonly<Record<'raw' | Resolution, number>>

export interface ForgetterOptions {
  rollups: Rollups
  kinds: Kinds
  calendar: Calendar
  progress: Progress
  dueHours: DueHours
  clock: Clock
  logger: Logger
  metrics: RollupMetrics
  retention: Retention
}

/**
 * Deletes what is older than it should be kept, by whole days of the city. Readings go only when everything that is made
 * of them is stored, and hours only when their days are.
 */
export function createForgetter(options: ForgetterOptions): () => Promise<void> {
  const { rollups, kinds, calendar, progress, dueHours, clock, logger, metrics, retention } = options

  /** What is needed still begins here. */
  const neededFromMs = (what: 'raw' | Resolution): number => {
    if (what === '5m' || what === '1d') return Infinity
    const levels: readonly Resolution[] = what === 'raw' ? RESOLUTIONS : ['1d']
    let neededMs = Infinity
    for (const kind of kinds.keys()) {
      for (const level of levels) neededMs = Math.min(neededMs, progress.untilMs(kind, level) ?? -Infinity)
      for (const { hourMs } of dueHours.list(kind)) neededMs = Math.min(neededMs, hourMs)
    }
    return neededMs
  }

  const forget = async (what: 'raw' | Resolution): Promise<void> => {
    const wantedMs = Math.min(clock.now() - retention[what], neededFromMs(what))
    if (!Number.isFinite(wantedMs)) return
    const beforeMs = calendar.bucketAt('1d', wantedMs).fromMs
    if (what === 'raw' && !(await noteDeleted(beforeMs))) return
    const rows = await rollups.forget(what, beforeMs)
    if (rows === 0) return
    if (rows !== null) metrics.forgotten.inc({ what }, rows)
    logger.info({ what, before: new Date(beforeMs), rows }, 'What is older than it should be kept is deleted')
  }

  /** First, so that hours without their readings are never worked out anew. @returns whether there is any */
  const noteDeleted = async (beforeMs: number): Promise<boolean> => {
    let isAny = false
    for (const kind of kinds.keys()) {
      const oldestMs = await rollups.oldestReadingMs(kind)
      if (oldestMs === null || oldestMs >= beforeMs) continue
      isAny = true
      if ((progress.untilMs(kind, 'raw') ?? -Infinity) < beforeMs)
        await progress.put({ kind, what: 'raw', untilMs: beforeMs })
    }
    return isAny
  }

  return async () => {
    for (const what of ['raw', ...RESOLUTIONS] as const) await forget(what)
  }
}
