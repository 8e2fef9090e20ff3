import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { journalFile, readingsFile, registryFile } from '../box/files.ts'

/** Of a running process, and worth nothing to another one. */
const OF_A_PROCESS = /^(box\.lock.*|box\.pid|control\.sock|exports)$/
/** What a restore puts beside the stores: see `install.ts`. */
const OF_A_RESTORE = /^(restore\.(partial|ready)|before-restore-.*)$/

/** The names in a data folder that are somebody's data: not there with a folder that is missing. */
export async function listData(dataDir: string): Promise<string[]> {
  if (!existsSync(dataDir)) return []
  const names = await readdir(dataDir)
  return names.filter((name) => !OF_A_PROCESS.test(name) && !OF_A_RESTORE.test(name)).toSorted()
}

/** The files that are copied as they are: all but the stores', which have their own way, and what is named after them. */
export async function listOtherFiles(dataDir: string): Promise<string[]> {
  const stores = [journalFile, registryFile, readingsFile].map((file) => file(dataDir))
  const isOfStore = (path: string): boolean => stores.some((store) => path.startsWith(store))
  const entries = existsSync(dataDir) ? await readdir(dataDir, { withFileTypes: true }) : []
  return entries
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .filter((name) => !OF_A_PROCESS.test(name) && !isOfStore(join(dataDir, name)))
    .toSorted()
}

/** What is in the stores' files: also in the logs beside them. */
export function listStoreFiles(dataDir: string): string[] {
  const sqlite = [journalFile(dataDir), registryFile(dataDir)].flatMap((file) => [file, `${file}-wal`])
  return [...sqlite, readingsFile(dataDir), `${readingsFile(dataDir)}.wal`]
}
