import type { DatabaseSync } from 'node:sqlite'
import { AppError } from '@pulso/model'
import { isInputOutputError } from '../sqlite.ts'

/** The file's housekeeping between commits. */
export interface Upkeep {
  /** To be called after each round. Throws what SQLite throws; the next round tries again. */
  afterRound(round: { wroteBytes: number; isEmpty: boolean }): void
  /** Moves the log into the file now, so that its place can be used again. */
  move(): void
  /** Pages of the file that hold nothing. */
  unusedBytes(): number
}

/** Fewer and larger moves from the log to the file, each with two fsyncs. */
const MOVE_AT_BYTES = 16 * 1024 * 1024
/** What a round writes beside its messages: a few pages of the table's tree. */
const ROUND_BYTES = 16 * 1024
/** A log that grew in a peak does not stay on disk. */
const LOG_KEEPS_BYTES = 64 * 1024 * 1024
/** An empty file with more than this inside gives it back. */
const SHRINK_AT_BYTES = 64 * 1024 * 1024

/**
 * Moves what the log (`-wal`) holds into the file, after the answers have gone out and where an error is seen: SQLite's
 * own checkpoints happen within the commit and say nothing when they fail.
 *
 * What is right after a failed fsync, when the kernel has forgotten which pages it could not write (read in SQLite's
 * wal.c, 3.53):
 * - in a commit: the log's end (mxFrame) has not moved, so the next commit writes the same place of the log anew and
 *   syncs that. Its success can be trusted; opening the file anew could not: it would take the failed commit from the
 *   page cache for a good one.
 * - in a move: what was moved counts only after the sync, so the next move writes it again. The exception is a move cut
 *   short by a reader, which counts without a sync, because the log is still there; then only beginning anew from the
 *   whole log is right, and that is what a start does.
 */
export function createUpkeep(database: DatabaseSync): Upkeep {
  database.exec(`PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = ${LOG_KEEPS_BYTES}`)
  // What a start finds in the log may never have reached the disk, see above: now it does, before anything is added.
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)')
  const freePages = database.prepare('PRAGMA freelist_count')
  const pageBytes = Number(database.prepare('PRAGMA page_size').get()?.page_size)
  let loggedBytes = 0
  let isPartlyMoved = false

  const unusedBytes = (): number => Number(freePages.get()?.freelist_count) * pageBytes

  const move = (): void => {
    try {
      const moved = checkpoint.get()
      isPartlyMoved = Number(moved?.checkpointed) < Number(moved?.log)
      if (!isPartlyMoved) loggedBytes = 0
    } catch (error) {
      // Not at each commit: that would write all of it again each time.
      loggedBytes = MOVE_AT_BYTES / 2
      if (isPartlyMoved && isInputOutputError(error)) throw untrustworthy(error)
      throw error
    }
  }

  const shrink = (): void => {
    if (unusedBytes() < SHRINK_AT_BYTES) return
    database.exec('VACUUM')
    move()
  }

  return {
    move,
    unusedBytes,
    afterRound({ wroteBytes, isEmpty }) {
      loggedBytes += wroteBytes + ROUND_BYTES
      if (loggedBytes >= MOVE_AT_BYTES) move()
      if (isEmpty) shrink()
    },
  }
}

/** Ends the journal's thread and with it the box: nothing of the file may be trusted before it is read from the log. */
export const UNTRUSTWORTHY = 'journal-untrustworthy'

function untrustworthy(cause: unknown): AppError {
  return new AppError(
    UNTRUSTWORTHY,
    'The disk failed while the journal’s log was moved into its file: only a restart, which reads the whole log, makes it right',
    { cause, retryable: true, status: 503 },
  )
}
