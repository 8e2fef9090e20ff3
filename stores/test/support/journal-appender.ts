/** A process that appends without end and tells its parent what was kept; the parent kills it. */
import { createSqliteJournal, createSqliteJournalWriter } from '@pulso/stores'

const [, , file = ''] = process.argv
const journal = createSqliteJournal({ file })
await journal.start()
const writer = createSqliteJournalWriter({ port: journal.writerPort() })

for (let round = 0; process.connected; round++) {
  const kept: string[] = []
  await Promise.all(
    Array.from({ length: 100 }, async (_, n) => {
      const id = `${round}-${n}`
      await writer.append({ topic: `topic/${n % 7}`, payload: Buffer.from(id), credential: 'c' })
      kept.push(id)
    }),
  )
  process.send?.(kept)
}
