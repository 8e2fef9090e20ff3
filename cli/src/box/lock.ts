import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AppError, messageOf } from '@pulso/model'

export interface FolderLock {
  release(): void
}

const LOCK_FILE = 'box.lock'
const SQLITE_BUSY = 5

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
    writeFileSync(owner, String(process.pid))
  } catch (cause) {
    database.close()
    if (!isBusy(cause)) throw unusable(dataDir, cause)
    throw new AppError(
      'data-folder-in-use',
      `The data folder ${dataDir} is in use by another Pulso${pidOf(owner)}. Stop that one, or set PULSO_DATA_DIR to another folder.`,
      { cause },
    )
  }
  return { release: () => database.close() }
}

function openLockFile(dataDir: string): DatabaseSync {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    return new DatabaseSync(join(dataDir, LOCK_FILE), { timeout: 0 })
  } catch (cause) {
    throw unusable(dataDir, cause)
  }
}

/** SQLite's own word for a lock that somebody else holds; everything else is no other box. */
function isBusy(error: unknown): boolean {
  return isSqliteError(error) && (error.errcode & 0xff) === SQLITE_BUSY
}

function isSqliteError(error: unknown): error is Error & { errcode: number } {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
}

function unusable(dataDir: string, cause: unknown): AppError {
  // SQLite does not say which file it means.
  const file = isSqliteError(cause) ? `${LOCK_FILE}: ` : ''
  const message = `The data folder ${dataDir} cannot be used: ${file}${messageOf(cause)}`
  return new AppError('data-folder-unusable', message, { cause })
}

function pidOf(file: string): string {
  try {
    return ` (process ${readFileSync(file, 'utf8').trim()})`
  } catch {
    return ''
  }
}
