/** The journal's own thread: here, and nowhere else, somebody waits for the disk. */
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { AppError, systemClock, toAppError } from '@pulso/model'
import { serveRpc } from '../rpc.ts'
import { isDamaged, openSqlite } from '../sqlite.ts'
import { createCommitter, type Block, type Committer } from './committer.ts'
import { toJournalError } from './errors.ts'
import type {
  CommitThreadData,
  OwnerAnswer,
  OwnerRequest,
  ReaderMethods,
  WriterAnswer,
  WriterRequest,
} from './protocol.ts'
import { createRoom } from './room.ts'
import { createRounds } from './rounds.ts'
import { JOURNAL_MIGRATIONS } from './schema.ts'
import { createUpkeep, type Upkeep } from './upkeep.ts'

if (parentPort) run(parentPort, workerData as CommitThreadData)

function run(owner: MessagePort, data: CommitThreadData): void {
  const answer = (message: OwnerAnswer): void => owner.postMessage(message)
  let opened: Opened
  try {
    opened = open(data)
  } catch (thrown) {
    const { code, message, retryable } = toAppError(thrown)
    answer({ type: 'refused', error: { code, message, retryable } })
    return
  }
  const rounds = createRounds({
    ...opened,
    maxBytes: data.bounds.maxBytes,
    onFull: (reason) => answer({ type: 'full', reason }),
  })
  const ports: MessagePort[] = []
  owner.on('message', (request: OwnerRequest) => {
    if (request.type === 'stop') {
      rounds.finish()
      for (const port of ports) port.close()
      opened.database.close()
      owner.close()
      return
    }
    ports.push(request.port)
    if (request.type === 'connect-writer') serveWriter(request.port, rounds.append)
    else serveRpc(request.port, { ...rounds.reader } satisfies ReaderMethods)
  })
  answer({ type: 'ready' })
}

interface Opened {
  database: DatabaseSync
  committer: Committer
  upkeep: Upkeep
}

function open(data: CommitThreadData): Opened {
  const { file } = data
  const database = openDatabase(file)
  try {
    return { database, ...prepare(database, data) }
  } catch (error) {
    database.close()
    // A file that opens may be damaged further in.
    throw toJournalError(file, `Cannot open the journal ${file}`, error)
  }
}

function openDatabase(file: string): DatabaseSync {
  try {
    return openSqlite({ file, store: 'journal', migrations: JOURNAL_MIGRATIONS })
  } catch (thrown) {
    if (thrown instanceof AppError && !isDamaged(thrown.cause)) throw thrown
    throw toJournalError(
      file,
      `Cannot open the journal ${file}`,
      thrown instanceof AppError ? thrown.cause : thrown,
    )
  }
}

function prepare(
  database: DatabaseSync,
  { file, bounds, continueAfter }: CommitThreadData,
): { committer: Committer; upkeep: Upkeep } {
  const upkeep = createUpkeep(database)
  const room = createRoom({ ...bounds, path: dirname(file), unusedBytes: () => upkeep.unusedBytes() })
  const committer = createCommitter({ database, clock: systemClock, room, continueAfter })
  // A stall of ingest may have left a large file.
  upkeep.afterRound({ wroteBytes: 0, isEmpty: committer.status().depth === 0 })
  return { committer, upkeep }
}

function serveWriter(
  port: MessagePort,
  append: (block: Block, done: (answer: WriterAnswer) => void) => void,
): void {
  port.on('message', ({ memory, bytes, arrivedAtMs }: WriterRequest) => {
    append({ data: Buffer.from(memory, 0, bytes), arrivedAtMs }, (answer) => port.postMessage(answer))
  })
}
