/** A process with a journal that appends what its parent sends, and says what became of it. */
import { createSqliteJournal, createSqliteJournalReader, createSqliteJournalWriter } from '@pulso/stores'

const [, , file = ''] = process.argv
const journal = createSqliteJournal({ file })
await journal.start()
const writer = createSqliteJournalWriter({ port: journal.writerPort() })
const reader = createSqliteJournalReader({ port: journal.readerPort(), file })

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code)

process.on('message', (text: string) => {
  void writer
    .append({ topic: 'topic', payload: Buffer.from(text), credential: 'c' })
    .then(() => 'kept', codeOf)
    .then(async (append) => {
      const check = await reader.check().then(() => 'well', codeOf)
      process.send?.({ append, check })
    })
})
process.send?.('ready')
