import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AppError, messageOf } from '@pulso/model'

export interface FolderLock {
  release(): void
}

/**
 * Takes the data folder for this process alone. The lock is SQLite's on an empty database: the operating system lets
 * go of it when the process dies, however it dies, so a stale lock cannot exist.
 * @throws AppError `data-folder-in-use`, `data-folder-unusable`
 */
export function lockFolder(dataDir: string): FolderLock {
  const owner = join(dataDir, 'box.pid')
  const database = openLockFile(dataDir)
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    throw new AppError(
      'data-folder-in-use',
      `The data folder ${dataDir} is in use by another Pulso${pidOf(owner)}. Stop that one, or set PULSO_DATA_DIR to another folder.`,
      { cause },
    )
  }
  writeFileSync(owner, String(process.pid))
  return { release: () => database.close() }
}

function openLockFile(dataDir: string): DatabaseSync {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    return new DatabaseSync(join(dataDir, 'box.lock'), { timeout: 0 })
  } catch (cause) {
    const message = `The data folder ${dataDir} cannot be used: ${messageOf(cause)}`
    throw new AppError('data-folder-unusable', message, { cause })
  }
}

function pidOf(file: string): string {
  try {
    return ` (process ${readFileSync(file, 'utf8').trim()})`
  } catch {
    return ''
  }
}
