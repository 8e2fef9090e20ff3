import {
  newestId,
  purgeQuarantineStep,
  readQuarantineEntry,
  readQuarantinePage,
  readQuarantineTotals,
  toQuarantineFilter,
} from '@pulso/api'
import {
  AppError,
  type QuarantinePage,
  type QuarantinePurged,
  type QuarantineReplay,
  type QuarantineReplayed,
  type QuarantineSelection,
  type QuarantineTotals,
  type QuarantineView,
} from '@pulso/model'
import type { Registry } from '@pulso/stores'
import type { Replay } from './quarantine-replay.ts'

export interface QuarantineQuestion {
  selection: QuarantineSelection
  limit: number
}

export interface QuarantineListing {
  page: QuarantinePage
  totals: QuarantineTotals
}

/** What commands ask of the quarantine of a running or a stopped box. Everything travels as JSON. */
export interface QuarantineDesk {
  listQuarantine(question: QuarantineQuestion): Promise<QuarantineListing>
  /** @throws AppError `unknown-entry` */
  showQuarantine(id: number): Promise<QuarantineView>
  /** One step. @throws AppError `box-not-running`, `replay-held-back` */
  replayQuarantine(selection: QuarantineReplay): Promise<QuarantineReplayed>
  /** One step. */
  purgeQuarantine(selection: QuarantineSelection): Promise<QuarantinePurged>
}

/** @param replay where there is a journal to put messages into, and an ingest that takes them */
export function createQuarantineDesk(registry: Registry, replay?: Replay): QuarantineDesk {
  return {
    async listQuarantine({ selection, limit }) {
      const filter = toQuarantineFilter(selection)
      const [page, totals] = await Promise.all([
        readQuarantinePage(registry, { ...filter, limit }),
        readQuarantineTotals(registry, { ...filter, limit }),
      ])
      return { page, totals }
    },
    showQuarantine: (id) => readQuarantineEntry(registry, id),
    async replayQuarantine(selection) {
      if (!replay) {
        throw new AppError(
          'box-not-running',
          "Nothing takes a replayed message while the box is stopped: start it ('npm start' or 'npx pulso start') and try again",
        )
      }
      const through = selection.through ?? (await newestId(registry))
      const filter = toQuarantineFilter({ ...selection, through })
      return replay.step({ ...filter, throughId: through }, selection.after ?? 0)
    },
    purgeQuarantine: (selection) => purgeQuarantineStep(registry, selection),
  }
}
