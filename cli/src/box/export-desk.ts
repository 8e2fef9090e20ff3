import { AppError, MINUTE_MS } from '@pulso/model'
import type { ExportQuery, ReadingsExport, ReadingsExports, ReadingsPage, RpcClient } from '@pulso/stores'

/** Exports of the thread that has the readings, by number, for a thread that has not. */
export interface ExportDesk {
  /** @throws AppError `exports-busy` (503), and what the store throws */
  openExport(query: ExportQuery): Promise<{ id: number } & Pick<ReadingsExport, 'columns' | 'period'>>
  nextExportPage(id: number): Promise<ReadingsPage | null>
  writeExport(id: number, file: string): Promise<number>
  closeExport(id: number): Promise<void>
}

/** More than the API opens at once: whoever meets this one does not close what it opened. */
const MOST_OPEN = 16
/** Nobody asks for so long without having gone: an export holds what the store would clean up. */
const IDLE_MS = 5 * MINUTE_MS

interface Open {
  taking: ReadingsExport
  /** How many calls of it are under way. */
  calls: number
  idle: NodeJS.Timeout
}

/** Pages go out only when they are asked for, so that nothing is gathered for a reader that is slow. */
export function createExportDesk(readings: ReadingsExports): ExportDesk {
  const open = new Map<number, Open>()
  let [lastId, opening] = [0, 0]

  const close = async (id: number): Promise<void> => {
    const entry = open.get(id)
    open.delete(id)
    clearTimeout(entry?.idle)
    await entry?.taking.close()
  }
  const forget = (id: number): NodeJS.Timeout =>
    setTimeout(() => {
      if (open.get(id)?.calls === 0) void close(id)
    }, IDLE_MS).unref()

  const use = async <T>(id: number, work: (taking: ReadingsExport) => Promise<T>): Promise<T> => {
    const entry = open.get(id)
    if (!entry) throw new AppError('export-closed', 'The export was closed', { status: 503 })
    clearTimeout(entry.idle)
    entry.calls += 1
    try {
      return await work(entry.taking)
    } finally {
      entry.calls -= 1
      entry.idle = forget(id)
    }
  }

  return {
    async openExport(query) {
      if (open.size + opening >= MOST_OPEN)
        throw new AppError('exports-busy', 'Too many exports are under way', { status: 503 })
      opening += 1
      try {
        const taking = await readings.openExport(query)
        const id = ++lastId
        open.set(id, { taking, calls: 0, idle: forget(id) })
        return { id, columns: taking.columns, period: taking.period }
      } finally {
        opening -= 1
      }
    },
    nextExportPage: (id) => use(id, (taking) => taking.next()),
    writeExport: (id, file) => use(id, (taking) => taking.writeParquet(file)),
    closeExport: close,
  }
}

/** The same exports as if they were here. */
export function createExportClient(desk: RpcClient<ExportDesk>): ReadingsExports {
  return {
    async openExport(query) {
      const { id, columns, period } = await desk.openExport(query)
      return {
        columns,
        period,
        next: () => desk.nextExportPage(id),
        writeParquet: (file) => desk.writeExport(id, file),
        close: () => desk.closeExport(id),
      }
    },
  }
}
