import { copyFile, link, open, rename, rm, truncate } from 'node:fs/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { messageOf } from '@pulso/model'

/** What was cut off the log, and where the log lies as it was. */
export interface CutLog {
  keptBytes: number
  cutBytes: number
  original: string
}

/** DuckDB's words for an entry of its log that is not what was written; the position is that behind its header. */
const CORRUPT_ENTRY = /Corrupt WAL file: entry\b.*?\bposition (\d+)/
/** Size and checksum, 8 bytes each. */
const ENTRY_HEADER_BYTES = 16

/**
 * A power cut may leave an end of the log (`.wal`) that was never synced: the file is longer already, and holds zeros or
 * anything there. Where the sizes in it make no sense DuckDB leaves such an end out by itself; where only the checksum is
 * wrong it refuses to open the file at all. This cuts the log off before that entry, if and only if nothing is lost by it:
 * the batch that the registry has committed last must be in what remains, since the journal still holds all behind it.
 *
 * It is tried on a second name of the file and a copy of the log, so that a crash meanwhile changes nothing.
 * @returns `undefined` when the error is another one, or more than the unsynced end is damaged; nothing has changed then
 */
export async function cutTornLog(options: {
  file: string
  error: unknown
  committedPosition: () => Promise<number>
}): Promise<CutLog | undefined> {
  const { file, error, committedPosition } = options
  const position = CORRUPT_ENTRY.exec(messageOf(error))?.[1]
  if (position === undefined) return undefined
  const keptBytes = Number(position) - ENTRY_HEADER_BYTES
  const log = `${file}.wal`
  const attempt = `${file}.mending`
  const attemptLog = `${attempt}.wal`
  const original = `${log}.torn`
  await removeAll([attempt, attemptLog])
  try {
    await link(file, attempt)
    await copyFile(log, attemptLog)
    await truncate(attemptLog, keptBytes)
    if ((await readPosition(attempt)) < (await committedPosition())) return undefined
    const cutBytes = (await syncedSize(log)) - keptBytes
    await syncedSize(attemptLog)
    await copyFile(log, original)
    await rename(attemptLog, log)
    return { keptBytes, cutBytes, original }
  } finally {
    await removeAll([attempt, attemptLog])
  }
}

/** Without changing anything: opened to be written, DuckDB would move the log into the file. 0 for a file that has none. */
async function readPosition(file: string): Promise<number> {
  const instance = await DuckDBInstance.create(file, { access_mode: 'READ_ONLY' })
  try {
    const connection = await instance.connect()
    const rows = (await connection.runAndReadAll('SELECT position FROM pulso.meta')).getRows()
    connection.closeSync()
    return Number(rows[0]?.[0] ?? 0)
  } catch (error) {
    if (messageOf(error).includes('does not exist')) return 0
    throw error
  } finally {
    instance.closeSync()
  }
}

async function syncedSize(path: string): Promise<number> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
    return (await file.stat()).size
  } finally {
    await file.close()
  }
}

async function removeAll(paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(path, { force: true })
}
