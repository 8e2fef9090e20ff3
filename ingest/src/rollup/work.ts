import type { Bucket, Resolution } from '@pulso/model'
import type { DueHour } from '@pulso/stores'
import type { RollupContext } from './context.ts'
import { BUCKET_MS } from './limits.ts'
import { createPieces } from './pieces.ts'

/** Works out what is to be stored, in pieces. Each is repeated as a whole when it fails, with the same result. */
export interface RollupWork {
  /** One piece of each kind and resolution. @returns whether there is more to do at once */
  advance(): Promise<boolean>
  /** One piece of each kind's due hours. @returns whether there is more to do at once */
  redo(): Promise<boolean>
  /** By how much the stored buckets of 5 minutes are behind. */
  lagMs(): number
  /** Hours before this cannot be worked out any more: their readings, or what goes on from before them, are deleted. */
  coveredFromMs(kind: string): number
}

/** Coarser ones are made when what they consist of is there. */
const ORDER: readonly Resolution[] = ['5m', '1h', '1d']

export function createRollupWork(context: RollupContext): RollupWork {
  const { rollups, registry, kinds, calendar, places, progress, dueHours, clock, logger, limits, retention } =
    context
  const pieces = createPieces(context)
  /** Hours worked out anew a moment ago, by when they may be again. */
  const resting = new Map<string, number>()

  /** Where a kind's aggregates begin: the day of the oldest reading there is. */
  const begin = async (kind: string): Promise<void> => {
    const closedMs = calendar.bucketAt('5m', clock.now() - limits.graceMs).fromMs
    dueHours.claim(kind, closedMs)
    const oldestMs = await rollups.oldestReadingMs(kind)
    const untilMs = calendar.bucketAt('1d', Math.min(oldestMs ?? closedMs, closedMs)).fromMs
    for (const what of ORDER.toReversed()) await progress.put({ kind, what, untilMs })
    dueHours.claim(kind, untilMs)
    if (oldestMs !== null) logger.info({ kind, from: new Date(untilMs) }, 'Aggregates are made from here on')
  }

  const closedUntilMs = (kind: string, resolution: Resolution): number => {
    if (resolution === '5m') return clock.now() - limits.graceMs
    return progress.untilMs(kind, resolution === '1h' ? '5m' : '1h') ?? -Infinity
  }

  const advanceOne = async (kind: string, resolution: Resolution): Promise<boolean> => {
    const fromMs = progress.untilMs(kind, resolution)
    const closedMs = closedUntilMs(kind, resolution)
    if (fromMs === undefined || fromMs >= closedMs) return false
    const most = pieces.most(kind, resolution)
    const endMs = Math.min(closedMs, fromMs + most * BUCKET_MS[resolution])
    const buckets = calendar.bucketsOf(resolution, fromMs, endMs).filter(({ toMs }) => toMs <= closedMs)
    const untilMs = buckets.at(-1)?.toMs
    if (untilMs === undefined) return false
    // Before the readings are looked at: what is stored from here on is late.
    if (resolution === '5m') dueHours.claim(kind, untilMs)
    await pieces.rollUp({ kind, resolution, buckets })
    await progress.put({ kind, what: resolution, untilMs })
    return untilMs + BUCKET_MS[resolution] <= closedMs
  }

  const coveredFromMs = (kind: string): number => {
    // A server that forgets by itself tells nobody.
    const keptMs = clock.now() - retention.raw
    const deletedMs = Math.max(progress.untilMs(kind, 'raw') ?? -Infinity, keptMs)
    return Number.isFinite(deletedMs) ? calendar.bucketAt('1d', deletedMs).toMs : deletedMs
  }

  const drop = async (hours: readonly DueHour[]): Promise<void> => {
    if (hours.length === 0) return
    dueHours.begin(hours)
    await registry.removeDueHours(dueHours.end(hours))
    context.metrics.uncovered.inc(hours.length)
    logger.warn(
      { kind: hours[0]?.kind, hours: hours.length },
      'Aggregates stay as they are: readings of their time were deleted already',
    )
  }

  /** Some due hours of one day, so that the day is worked out once for all of them. */
  const choose = (kind: string, due: readonly DueHour[]): DueHour[] => {
    const nowMs = clock.now()
    for (const [key, untilMs] of resting) if (untilMs <= nowMs) resting.delete(key)
    const ready = due.filter(({ hourMs, position }) => position === 0 || !resting.has(`${kind} ${hourMs}`))
    const [first] = ready
    if (!first) return []
    const day = calendar.bucketAt('1d', first.hourMs)
    const most = Math.max(1, Math.floor(pieces.most(kind, '5m') / 12))
    return ready
      .filter(({ hourMs }) => hourMs >= day.fromMs && hourMs < day.toMs)
      .slice(0, most)
      .sort((a, b) => a.hourMs - b.hourMs)
  }

  const redoOne = async (kind: string): Promise<boolean> => {
    const all = dueHours.list(kind)
    if (all.length === 0) return false
    const coveredMs = coveredFromMs(kind)
    await drop(all.filter(({ hourMs }) => hourMs < coveredMs))
    const due = all.filter(({ hourMs }) => hourMs >= coveredMs)
    const hours = choose(kind, due)
    const [first] = hours
    if (!first) return false
    dueHours.begin(hours)
    const buckets = hours.map(({ hourMs }) => calendar.bucketAt('1h', hourMs))
    for (const run of toRuns(buckets)) await redoRun(kind, run)
    await redoStored(kind, '1d', [calendar.bucketAt('1d', first.hourMs)])
    await registry.removeDueHours(dueHours.end(hours))
    const restUntilMs = clock.now() + limits.restMs
    for (const { hourMs, position } of hours) if (position > 0) resting.set(`${kind} ${hourMs}`, restUntilMs)
    return due.length > hours.length && choose(kind, dueHours.list(kind)).length > 0
  }

  const redoRun = async (kind: string, hours: readonly Bucket[]): Promise<void> => {
    const [fromMs = 0, toMs = 0] = [hours[0]?.fromMs, hours.at(-1)?.toMs]
    await redoStored(kind, '5m', calendar.bucketsOf('5m', fromMs, toMs))
    await redoStored(kind, '1h', hours)
  }

  /** What is not stored yet comes with the next piece anyway. */
  const redoStored = async (
    kind: string,
    resolution: Resolution,
    buckets: readonly Bucket[],
  ): Promise<void> => {
    const untilMs = progress.untilMs(kind, resolution) ?? -Infinity
    const stored = buckets.filter(({ toMs }) => toMs <= untilMs)
    if (stored.length > 0) await pieces.rollUp({ kind, resolution, buckets: stored })
  }

  return {
    coveredFromMs,
    async advance() {
      await places.tell()
      return forEachOf(kinds.keys(), async (kind) => {
        if (progress.untilMs(kind, '5m') === undefined) await begin(kind)
        let isMore = false
        for (const resolution of ORDER) if (await advanceOne(kind, resolution)) isMore = true
        return isMore
      })
    },
    async redo() {
      await places.tell()
      return forEachOf(kinds.keys(), redoOne)
    },
    lagMs() {
      const untils = Array.from(kinds.keys(), (kind) => progress.untilMs(kind, '5m'))
      const closedMs = calendar.bucketAt('5m', clock.now() - limits.graceMs).fromMs
      const oldestMs = Math.min(...untils.map((untilMs) => untilMs ?? closedMs))
      return Number.isFinite(oldestMs) ? Math.max(0, closedMs - oldestMs) : 0
    },
  }
}

/**
 * One after the other; one that fails does not keep the others from their turn.
 * @throws the first error, after all had it
 */
async function forEachOf(
  kinds: Iterable<string>,
  work: (kind: string) => Promise<boolean>,
): Promise<boolean> {
  const errors: unknown[] = []
  let isMore = false
  for (const kind of kinds) {
    try {
      if (await work(kind)) isMore = true
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
  return isMore
}

/** Neighbours together. */
function toRuns(buckets: readonly Bucket[]): Bucket[][] {
  const runs: Bucket[][] = []
  for (const bucket of buckets) {
    const run = runs.at(-1)
    if (run?.at(-1)?.toMs === bucket.fromMs) run.push(bucket)
    else runs.push([bucket])
  }
  return runs
}
