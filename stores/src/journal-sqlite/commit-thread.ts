/** The journal's own thread: here, and nowhere else, somebody waits for the disk. */
import type { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { systemClock, toAppError } from '@pulso/model'
import { serveRpc } from '../rpc.ts'
import { openSqlite, toSqliteError } from '../sqlite.ts'
import { createCommitter, type Committer } from './committer.ts'
import type {
  CommitThreadData,
  OwnerAnswer,
  OwnerRequest,
  ReaderMethods,
  WriterAnswer,
  WriterRequest,
} from './protocol.ts'
import { createRounds } from './rounds.ts'
import { JOURNAL_MIGRATIONS } from './schema.ts'

if (parentPort) run(parentPort, workerData as CommitThreadData)

function run(owner: MessagePort, { file, maxBytes, continueAfter }: CommitThreadData): void {
  const answer = (message: OwnerAnswer): void => owner.postMessage(message)
  let opened: { close(): void; committer: Committer }
  try {
    opened = open({ file, maxBytes, continueAfter })
  } catch (thrown) {
    const { code, message, retryable } = toAppError(thrown)
    answer({ type: 'refused', error: { code, message, retryable } })
    return
  }
  const rounds = createRounds(opened.committer)
  const ports: MessagePort[] = []
  owner.on('message', (request: OwnerRequest) => {
    if (request.type === 'stop') {
      rounds.finish()
      for (const port of ports) port.close()
      opened.close()
      owner.close()
      return
    }
    ports.push(request.port)
    if (request.type === 'connect-writer') serveWriter(request.port, rounds.append)
    else serveRpc(request.port, { ...rounds.reader } satisfies ReaderMethods)
  })
  answer({ type: 'ready' })
}

function open({ file, maxBytes, continueAfter }: CommitThreadData): { close(): void; committer: Committer } {
  const database = openSqlite({ file, store: 'journal', migrations: JOURNAL_MIGRATIONS })
  try {
    return { committer: prepare(database, { maxBytes, continueAfter }), close: () => database.close() }
  } catch (error) {
    database.close()
    // A file that opens may be damaged further in.
    throw toSqliteError('journal', `Cannot open the journal ${file}`, error)
  }
}

function prepare(
  database: DatabaseSync,
  { maxBytes, continueAfter }: Pick<CommitThreadData, 'maxBytes' | 'continueAfter'>,
): Committer {
  // Fewer and larger checkpoints, each with two fsyncs; and a peak does not stay on disk.
  database.exec(`PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = ${64 * 1024 * 1024}`)
  const committer = createCommitter({ database, clock: systemClock, maxBytes, continueAfter })
  // A stall of ingest may have left a large file; giving the space back costs nothing while it is empty.
  if (committer.status().depth === 0) database.exec('VACUUM')
  return committer
}

function serveWriter(
  port: MessagePort,
  append: (block: Buffer, done: (answer: WriterAnswer) => void) => void,
): void {
  port.on('message', ({ memory, bytes }: WriterRequest) => {
    append(Buffer.from(memory, 0, bytes), (answer) => port.postMessage(answer))
  })
}
