import { DatabaseSync } from 'node:sqlite'
import { AppError, messageOf } from '@pulso/model'
import { keepOlderSchema } from './older-schema.ts'

/** SQLite's result codes (sqlite.org/rescode.html); an extended one has its primary one in the lowest byte. */
const SQLITE_IOERR = 10
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26
const SQLITE_IOERR_SHMSIZE = 4_874

export interface OpenSqliteOptions {
  file: string
  /** Which store it is: the first part of its error codes. */
  store: 'journal' | 'registry'
  /** Step n brings the schema from version n to n + 1. Steps are never changed, only added. */
  migrations: readonly string[]
  /** How long a lock of another connection is waited for. */
  busyTimeoutMs?: number
}

/**
 * Opens a store's file, durable to the last commit (WAL, fsync at each), and brings its schema forward.
 * @throws AppError `{store}-too-new` when a newer Pulso wrote the file, `{store}-unavailable` (retryable) otherwise
 */
export function openSqlite({
  file,
  store,
  migrations,
  busyTimeoutMs = 5_000,
}: OpenSqliteOptions): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { timeout: busyTimeoutMs })
    setWal(database, busyTimeoutMs)
    database.exec('PRAGMA synchronous = FULL')
    migrate(database, { file, store, migrations })
    return database
  } catch (error) {
    database?.close()
    if (error instanceof AppError) throw error
    throw toSqliteError(store, `Cannot open the ${store} ${file}`, error)
  }
}

/** A driver's error in our terms: whatever SQLite says may be over at the next try (a lock, a full disk). */
export function toSqliteError(store: string, doing: string, error: unknown): AppError {
  if (error instanceof AppError) return error
  return new AppError(`${store}-unavailable`, `${doing}: ${messageOf(error)}`, {
    cause: error,
    retryable: true,
    status: 503,
  })
}

/** No more room on the disk; nothing was changed. */
export function isDiskFull(error: unknown): boolean {
  // The index of the log (`-shm`) says it with an error of its own.
  return primaryCode(error) === SQLITE_FULL || errcodeOf(error) === SQLITE_IOERR_SHMSIZE
}

/** Reading, writing or syncing failed. */
export function isInputOutputError(error: unknown): boolean {
  return primaryCode(error) === SQLITE_IOERR
}

/** The file's content is not SQLite's, or not any more. */
export function isDamaged(error: unknown): boolean {
  const code = primaryCode(error)
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB
}

/** Runs `work` in one transaction: all of it or nothing. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  // IMMEDIATE: a transaction that began by reading could not wait for another's lock later on.
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function primaryCode(error: unknown): number | undefined {
  const code = errcodeOf(error)
  return code === undefined ? undefined : code & 0xff
}

function errcodeOf(error: unknown): number | undefined {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined
  return typeof code === 'number' ? code : undefined
}

/** Two threads that create the same file at once: SQLite answers `locked` here without waiting its time-out. */
function setWal(database: DatabaseSync, busyTimeoutMs: number): void {
  const deadlineMs = performance.now() + busyTimeoutMs
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (performance.now() >= deadlineMs || !/locked|busy/.test(String(error))) throw error
      Atomics.wait(pause, 0, 0, 10)
    }
  }
}

function migrate(database: DatabaseSync, { file, store, migrations }: OpenSqliteOptions): void {
  const known = migrations.length
  if (readSchemaVersion(database) === known) return
  inTransaction(database, () => {
    const version = readSchemaVersion(database)
    if (version > known) {
      throw new AppError(
        `${store}-too-new`,
        `${file} was written by a newer Pulso (schema ${version}, this one knows ${known}): start that version, or restore a backup`,
      )
    }
    // Another thread was first.
    if (version === known) return
    if (version > 0) keepOlderSchema(file, version)
    for (const step of migrations.slice(version)) database.exec(step)
    database.exec(`PRAGMA user_version = ${known}`)
  })
}

/** The schema's version that the file carries; 0 for a new one. */
export function readSchemaVersion(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version)
}
