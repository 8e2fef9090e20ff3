import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { listData } from './data-folder.ts'
import { syncToDisk } from './disk.ts'

/**
 * The last step of a restore: files that are complete and on disk take their places. It may be interrupted anywhere and
 * is finished by whatever opens the folder next, so that nobody ever meets half of the old and half of the new.
 */
export interface InstallPlan {
  /** The files to put in place, by name. */
  files: string[]
  /** The folder within the data folder that takes what was there before. */
  aside: string
}

const PLAN_FILE = 'restore.json'

/** Where files wait while they are being written, and where they wait once all of them are. */
export const partialFolder = (dataDir: string): string => join(dataDir, 'restore.partial')
const readyFolder = (dataDir: string): string => join(dataDir, 'restore.ready')
export const planFile = (dataDir: string): string => join(partialFolder(dataDir), PLAN_FILE)

/** From here on there is no way back, only forward. */
export async function install(dataDir: string): Promise<void> {
  await rename(partialFolder(dataDir), readyFolder(dataDir))
  syncToDisk(dataDir)
  await finishRestore(dataDir)
}

/**
 * Finishes what an interrupted restore has left; nothing to do otherwise. Only for who holds the folder's lock.
 * @returns whether there was something to finish
 */
export async function finishRestore(dataDir: string): Promise<boolean> {
  const ready = readyFolder(dataDir)
  if (!existsSync(ready)) return false
  const { files, aside } = JSON.parse(readFileSync(join(ready, PLAN_FILE), 'utf8')) as InstallPlan

  const isInstalled = (name: string): boolean => files.includes(name) && !existsSync(join(ready, name))
  const old = (await listData(dataDir)).filter((name) => !isInstalled(name))
  if (old.length > 0) {
    await mkdir(join(dataDir, aside), { recursive: true, mode: 0o700 })
    for (const name of old) await rename(join(dataDir, name), join(dataDir, aside, name))
    syncToDisk(join(dataDir, aside))
  }
  for (const name of files) {
    if (existsSync(join(ready, name))) await rename(join(ready, name), join(dataDir, name))
  }
  syncToDisk(dataDir)
  await rm(ready, { recursive: true })
  syncToDisk(dataDir)
  return true
}
