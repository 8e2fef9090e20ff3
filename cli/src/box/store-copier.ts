import { AppError, systemClock } from '@pulso/model'
import { copyStores, type CopiedStores, type HoldableReader, type Readings } from '@pulso/stores'
import { storeFiles } from './files.ts'

/** Copies the stores of the running box into a folder, once at a time. */
export function createStoreCopier({ dataDir, readings }: { dataDir: string; readings: Readings }) {
  let isCopying = false
  /** @throws AppError `backup-under-way`, and what the stores throw */
  return async (folder: string, { hold }: Pick<HoldableReader, 'hold'>): Promise<CopiedStores> => {
    if (isCopying) {
      throw new AppError('backup-under-way', 'A backup of this box is being made already: wait for its end')
    }
    isCopying = true
    try {
      return await copyStores({
        source: storeFiles(dataDir),
        target: storeFiles(folder),
        openReadingsSnapshot: () => readings.snapshot(),
        hold,
        clock: systemClock,
      })
    } finally {
      isCopying = false
    }
  }
}
