import type { RebuildAnswer, RebuildRequest, Roller } from '@pulso/ingest'

/** How far a rebuild has come. */
export interface RebuildProgress {
  /** Hours of kinds that are still to be worked out anew, for whatever reason. */
  hours: number
  /** Why it does not go on at the moment. */
  error: string | null
}

/** What commands ask of whoever keeps the aggregates. Everything travels as JSON. */
export interface RebuildDesk {
  /** @throws AppError `unknown-kind` */
  rebuild(request: RebuildRequest): Promise<RebuildAnswer>
  rebuildStatus(): Promise<RebuildProgress>
  /** @returns how many hours are left as they are */
  cancelRebuild(): Promise<number>
}

export function createRebuildDesk(roller: () => Promise<Roller>): RebuildDesk {
  return {
    rebuild: async (request) => (await roller()).rebuild(request),
    async rebuildStatus() {
      const { dueHours, error } = (await roller()).status()
      return { hours: dueHours.changed + dueHours.rebuild, error }
    },
    cancelRebuild: async () => (await roller()).cancelRebuild(),
  }
}
