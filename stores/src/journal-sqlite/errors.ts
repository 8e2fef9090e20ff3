import { AppError } from '@pulso/model'
import { isDamaged, toSqliteError } from '../sqlite.ts'

/** SQLite's error in our terms; for a damaged file with what can be done. */
export function toJournalError(file: string, doing: string, error: unknown): AppError {
  const general = toSqliteError('journal', doing, error)
  if (!isDamaged(error)) return general
  return new AppError(
    'journal-damaged',
    `${general.message}. The file is damaged, which a crash alone does not do: look at the disk. Stop Pulso, keep a ` +
      `copy of ${file} with its -wal, then restore a backup, or write what is readable into a new file ` +
      `(sqlite3 ${file} .recover | sqlite3 new.sqlite), or move the file away: then Pulso starts with an empty ` +
      'journal, and what it held unread is lost',
    { cause: error, status: 503 },
  )
}
