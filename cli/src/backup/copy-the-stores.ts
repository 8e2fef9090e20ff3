import { existsSync } from 'node:fs'
import { AppError, type Clock } from '@pulso/model'
import { copyStores, type CopiedStores } from '@pulso/stores'
import { openDuckdbFileSnapshot } from '@pulso/stores/readings'
import type { RunningBoxMethods } from '../box/box.ts'
import { storeFiles } from '../box/files.ts'
import { lockFolder } from '../box/lock.ts'
import type { Config } from '../config/config.ts'
import { connectControl } from '../control.ts'
import { finishRestore } from './install.ts'

/** Copies the stores into the folder: the running box does it for us, and of a stopped one we do it ourselves. */
export async function copyTheStores({
  config,
  folder,
  clock,
}: {
  config: Config
  folder: string
  clock: Clock
}): Promise<CopiedStores> {
  const running = await connectControl<RunningBoxMethods>(config.dataDir)
  if (running) return running.copyStores(folder)

  const source = storeFiles(config.dataDir)
  const isEmbedded = config.readings.driver === 'duckdb'
  const needed = [source.journalFile, source.registryFile, ...(isEmbedded ? [source.readingsFile] : [])]
  // Looked for first: a lock would make the folder that is missing.
  const refuseMissing = (): void => {
    const missing = needed.find((file) => !existsSync(file))
    if (missing === undefined) return
    throw new AppError(
      'nothing-to-back-up',
      `There is no ${missing}: is ${config.dataDir} the data folder? PULSO_DATA_DIR names it`,
    )
  }
  if (!existsSync(config.dataDir)) refuseMissing()
  const lock = lockFolder(config.dataDir)
  try {
    await finishRestore(config.dataDir)
    refuseMissing()
    // As the files are: a backup is what one wants before a newer Pulso changes their schema.
    return await copyStores({
      source,
      target: storeFiles(folder),
      openReadingsSnapshot: async () => (isEmbedded ? openDuckdbFileSnapshot(source.readingsFile) : null),
      hold: () => () => undefined,
      clock,
    })
  } finally {
    lock.release()
  }
}
