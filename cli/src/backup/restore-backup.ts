import { constants, existsSync } from 'node:fs'
import { copyFile, mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { AppError, messageOf, type Clock } from '@pulso/model'
import { lockFolder } from '../box/lock.ts'
import { listData } from './data-folder.ts'
import { formatBytes, requireSpace, syncToDisk } from './disk.ts'
import { finishRestore, install, partialFolder, planFile, type InstallPlan } from './install.ts'
import { damaged, type BackupManifest } from './manifest.ts'
import { verifyBackup } from './verify-backup.ts'

export interface RestoreBackupOptions {
  /** The backup's own folder. */
  folder: string
  dataDir: string
  /** What the data folder holds is moved aside instead of being a reason to refuse. */
  force: boolean
  clock: Clock
  onProgress(text: string): void
}

export interface RestoredBackup {
  dataDir: string
  manifest: BackupManifest
  /** Where what was there before is now. */
  aside: string | null
}

/**
 * Puts a backup in place of an empty data folder. Nothing is touched before the whole backup has been read, and nothing
 * is ever deleted.
 * @throws AppError `data-folder-in-use`, `data-folder-not-empty`, `disk-too-small`, and what `verifyBackup` throws
 */
export async function restoreBackup(options: RestoreBackupOptions): Promise<RestoredBackup> {
  const { dataDir, force, clock, onProgress } = options
  const folder = resolve(options.folder)
  const manifest = await verifyBackup(folder, onProgress)
  const lock = lockFolder(dataDir)
  try {
    await finishRestore(dataDir)
    const old = await listData(dataDir)
    if (old.length > 0) refuseOld(old, options)
    const time = new Date(clock.now()).toISOString().slice(0, 19).replaceAll(':', '-')
    const plan: InstallPlan = {
      files: manifest.files.map(({ name }) => name),
      aside: `before-restore-${time}Z`,
    }
    await copyAll(folder, { dataDir, manifest, plan, onProgress })
    await install(dataDir)
    return { dataDir, manifest, aside: force && old.length > 0 ? join(dataDir, plan.aside) : null }
  } finally {
    lock.release()
  }
}

function refuseOld(old: readonly string[], { dataDir, folder, force }: RestoreBackupOptions): void {
  const [top = ''] = relative(dataDir, resolve(folder)).split('/')
  if (old.includes(top)) {
    throw new AppError('data-folder-not-empty', `The backup lies in ${dataDir} itself: move it out first`)
  }
  if (force) return
  const shown = old.slice(0, 5).join(', ')
  throw new AppError(
    'data-folder-not-empty',
    `${dataDir} is not empty (${shown}${old.length > 5 ? ', …' : ''}). --force moves what is there aside; --data-dir names another folder.`,
  )
}

async function copyAll(
  folder: string,
  {
    dataDir,
    manifest,
    plan,
    onProgress,
  }: { dataDir: string; manifest: BackupManifest; plan: InstallPlan } & Pick<
    RestoreBackupOptions,
    'onProgress'
  >,
): Promise<void> {
  const partial = partialFolder(dataDir)
  // Left by a restore that ended before it changed anything.
  if (existsSync(partial)) await rm(partial, { recursive: true })
  await requireSpace(
    dataDir,
    manifest.files.reduce((sum, { bytes }) => sum + bytes, 0),
  )
  try {
    await mkdir(partial, { mode: 0o700 })
    for (const { name, bytes } of manifest.files) {
      onProgress(`copying ${name}, ${formatBytes(bytes)}`)
      const target = join(partial, name)
      await copyFile(join(folder, name), target, constants.COPYFILE_FICLONE)
      syncToDisk(target)
      if ((await stat(target)).size !== bytes)
        throw damaged(`${join(folder, name)} changed while it was read`)
    }
    await writeFile(planFile(dataDir), JSON.stringify(plan), { mode: 0o600 })
    syncToDisk(planFile(dataDir))
    syncToDisk(partial)
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    if (error instanceof AppError) throw error
    throw new AppError('restore-failed', `The backup cannot be copied to ${dataDir}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}
