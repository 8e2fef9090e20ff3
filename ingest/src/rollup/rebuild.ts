import { AppError, type Bucket } from '@pulso/model'
import type { DueHour } from '@pulso/stores'
import type { RollupContext } from './context.ts'

/** What is to be worked out anew from the readings. */
export interface RebuildRequest {
  /** All kinds when absent. */
  kind?: string
  /** As far as readings cover it; all of it when absent. */
  fromMs?: number
  toMs?: number
}

export interface RebuildAnswer {
  /** Hours of kinds that are due now. */
  hours: number
  /** What was asked for begins earlier than this, before which readings were deleted: it stays as it is. */
  coveredFromMs: number | null
}

/**
 * A rebuild asks for hours: the registry remembers them, so it goes on after a restart, and the roller works them out
 * like those that late readings have changed. What is stored holds meanwhile.
 */
export function createRebuilds({
  rollups,
  registry,
  kinds,
  calendar,
  progress,
  dueHours,
}: Pick<RollupContext, 'rollups' | 'registry' | 'kinds' | 'calendar' | 'progress' | 'dueHours'>): {
  request(request: RebuildRequest, coveredFromMs: (kind: string) => number): Promise<RebuildAnswer>
  cancel(): Promise<number>
} {
  const hoursOf = async (
    kind: string,
    { fromMs = -Infinity, toMs = Infinity }: RebuildRequest,
    coveredMs: number,
  ): Promise<DueHour[]> => {
    const oldestMs = await rollups.oldestReadingMs(kind)
    const untilMs = Math.min(progress.untilMs(kind, '5m') ?? -Infinity, toMs)
    if (oldestMs === null) return []
    const beginMs = Math.max(oldestMs, coveredMs, fromMs)
    if (!(beginMs < untilMs)) return []
    const hours: Bucket[] = calendar.bucketsOf('1h', beginMs, untilMs)
    // An hour that readings cover in part only stays as it is.
    return hours
      .filter((hour) => hour.fromMs >= coveredMs)
      .map((hour) => ({ kind, hourMs: hour.fromMs, position: 0 }))
  }

  return {
    async request(request, coveredFromMs) {
      if (request.kind !== undefined && !kinds.has(request.kind))
        throw new AppError(
          'unknown-kind',
          `There is no kind '${request.kind}'; there are ${[...kinds.keys()].join(', ')}`,
          { status: 404 },
        )
      const ids = request.kind === undefined ? [...kinds.keys()] : [request.kind]
      const lists: DueHour[][] = []
      for (const kind of ids) lists.push(await hoursOf(kind, request, coveredFromMs(kind)))
      const hours = lists.flat()
      await registry.addDueHours(hours)
      dueHours.add(hours)
      const coveredMs = Math.max(...ids.map(coveredFromMs))
      const isCut = Number.isFinite(coveredMs) && (request.fromMs ?? -Infinity) < coveredMs
      return { hours: hours.length, coveredFromMs: isCut ? coveredMs : null }
    },
    async cancel() {
      const hours = dueHours.cancelRebuild()
      await registry.removeDueHours(hours)
      return hours.length
    },
  }
}
