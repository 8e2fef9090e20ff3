import { once } from 'node:events'
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import { AppError } from '@pulso/model'
import type { CommitThreadData, OwnerAnswer, OwnerRequest } from './protocol.ts'

export interface SqliteJournalOptions {
  file: string
  /** The size on disk at which `append` fails instead of filling the disk. */
  maxBytes?: number
  /**
   * The newest position that readers have already worked up to. Should the file end before it (it was lost, or an
   * older one was restored), positions go on behind it.
   */
  continueAfter?: number
  /** Told when the journal's thread ended by itself; everything pending has failed then. */
  onCrash?: (error: AppError) => void
}

/** Owns the journal's thread. Writers and readers, in whatever thread, are connected to it through ports. */
export interface SqliteJournal {
  /** @throws AppError `journal-too-new`, `journal-unavailable` */
  start(): Promise<void>
  /** For one `createSqliteJournalWriter`, here or in another thread. */
  writerPort(): MessagePort
  /** For one `createSqliteJournalReader`, here or in another thread. */
  readerPort(): MessagePort
  /** Commits what has arrived and closes the file. Close the writers first: what they still hold fails. */
  stop(): Promise<void>
}

const DEFAULT_MAX_BYTES = 8 * 1024 ** 3

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
  { file, maxBytes = DEFAULT_MAX_BYTES, continueAfter = 0 }: SqliteJournalOptions,
  onEnd: (error: AppError) => void,
): Promise<Worker> {
  const data: CommitThreadData = { file, maxBytes, continueAfter }
  const worker = new Worker(new URL('./commit-thread.ts', import.meta.url), {
    workerData: data,
    name: 'journal',
  })
  let reason: unknown
  worker.on('error', (error) => (reason = error))
  await new Promise<void>((resolve, reject) => {
    worker.once('exit', () => reject(toCrash(reason)))
    worker.once('message', (answer: OwnerAnswer) => {
      if (answer.type === 'ready') resolve()
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
