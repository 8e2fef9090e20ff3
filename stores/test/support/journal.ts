import type { MessagePort } from 'node:worker_threads'
import {
  createSqliteJournal,
  createSqliteJournalReader,
  createSqliteJournalWriter,
  type SqliteJournalOptions,
} from '@pulso/stores'
import type { OpenJournal } from '../journal-conformance.ts'

/** A running journal whose writers and readers end with it. */
export async function openJournal(
  options: SqliteJournalOptions,
): Promise<OpenJournal & { writerPort(): MessagePort }> {
  const journal = createSqliteJournal(options)
  await journal.start()
  const opened: { close(): Promise<void> }[] = []
  const keep = <T extends { close(): Promise<void> }>(part: T): T => {
    opened.push(part)
    return part
  }
  return {
    writerPort: () => journal.writerPort(),
    writer: () => keep(createSqliteJournalWriter({ port: journal.writerPort() })),
    reader: () => keep(createSqliteJournalReader({ port: journal.readerPort(), file: options.file })),
    async close() {
      for (const part of opened) await part.close()
      await journal.stop()
    },
  }
}
