import { once } from 'node:events'
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import { AppError } from '@pulso/model'
import { DEFAULT_JOURNAL_BOUNDS } from '../limits.ts'
import type { CommitThreadData, OwnerAnswer, OwnerRequest } from './protocol.ts'
import type { JournalBounds } from './room.ts'

export interface SqliteJournalOptions {
  file: string
  /** Where `append` begins to wait. What differs from `DEFAULT_JOURNAL_BOUNDS`. */
  bounds?: Partial<JournalBounds>
  /**
   * The newest position that readers have already worked up to. Should the file end before it (it was lost, or an
   * older one was restored), positions go on behind it.
   */
  continueAfter?: number
  /** Told when the journal's thread ended by itself; everything pending has failed then. */
  onCrash?: (error: AppError) => void
  /** Told why it takes no messages from now on, and with `null` when it takes them again. */
  onFull?: (reason: string | null) => void
}

/** Owns the journal's thread. Writers and readers, in whatever thread, are connected to it through ports. */
export interface SqliteJournal {
  /** @throws AppError `journal-too-new`, `journal-damaged`, `journal-unavailable` */
  start(): Promise<void>
  /** For one `createSqliteJournalWriter`, here or in another thread. */
  writerPort(): MessagePort
  /** For one `createSqliteJournalReader`, here or in another thread. */
  readerPort(): MessagePort
  /** Commits what has arrived and closes the file. Close the writers first: what they still hold fails. */
  stop(): Promise<void>
}

/** A journal in one SQLite file with a commit thread of its own, so that no other thread ever waits for an fsync. */
export function createSqliteJournal(options: SqliteJournalOptions): SqliteJournal {
  let worker: Worker | undefined
  let isStopping = false

  const connect = (type: 'connect-writer' | 'connect-reader'): MessagePort => {
    if (!worker) throw new AppError('journal-closed', 'The journal is not started')
    const { port1, port2 } = new MessageChannel()
    worker.postMessage({ type, port: port2 } satisfies OwnerRequest, [port2])
    return port1
  }

  return {
    async start() {
      worker = await startThread(options, (error) => {
        worker = undefined
        if (!isStopping) options.onCrash?.(error)
      })
    },
    writerPort: () => connect('connect-writer'),
    readerPort: () => connect('connect-reader'),
    async stop() {
      isStopping = true
      if (!worker) return
      const ended = once(worker, 'exit')
      worker.postMessage({ type: 'stop' } satisfies OwnerRequest)
      await ended
    },
  }
}

async function startThread(
  { file, bounds, continueAfter = 0, onFull }: SqliteJournalOptions,
  onEnd: (error: AppError) => void,
): Promise<Worker> {
  const data: CommitThreadData = { file, bounds: { ...DEFAULT_JOURNAL_BOUNDS, ...bounds }, continueAfter }
  const worker = new Worker(new URL('./commit-thread.ts', import.meta.url), {
    workerData: data,
    name: 'journal',
  })
  let reason: unknown
  worker.on('error', (error) => (reason = error))
  await new Promise<void>((resolve, reject) => {
    worker.once('exit', () => reject(toCrash(reason)))
    worker.on('message', (answer: OwnerAnswer) => {
      if (answer.type === 'ready') resolve()
      else if (answer.type === 'full') onFull?.(answer.reason)
      else reject(new AppError(answer.error.code, answer.error.message, answer.error))
    })
  })
  worker.once('exit', () => onEnd(toCrash(reason)))
  return worker
}

function toCrash(reason: unknown): AppError {
  return new AppError('journal-failed', "The journal's thread has ended", {
    cause: reason,
    retryable: true,
    status: 503,
  })
}
