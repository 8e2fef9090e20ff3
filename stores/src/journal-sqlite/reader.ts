import { DatabaseSync } from 'node:sqlite'
import type { MessagePort } from 'node:worker_threads'
import { AppError } from '@pulso/model'
import type { JournalReader, KeptMessage } from '../journal.ts'
import { createRpcClient } from '../rpc.ts'
import { readBlock } from './block.ts'
import { toJournalError } from './errors.ts'
import type { ReaderMethods } from './protocol.ts'
import { SELECT_BLOCKS_FROM, SELECT_LAST_POSITION } from './schema.ts'

export interface SqliteJournalReaderOptions {
  /** From the journal's `readerPort()`. */
  port: MessagePort
  /** The journal's file, read through a connection of the reader's own. */
  file: string
  /** Blocks are taken until this much is read, so that large payloads do not fill the memory. */
  maxReadBytes?: number
}

const DEFAULT_MAX_READ_BYTES = 16 * 1024 * 1024

/** Reads blocks from the file; the commit thread only wakes it. Payloads are views of their block. */
export function createSqliteJournalReader({
  port,
  file,
  maxReadBytes = DEFAULT_MAX_READ_BYTES,
}: SqliteJournalReaderOptions): JournalReader {
  const thread = createRpcClient<ReaderMethods>(port)
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  const blocksFrom = database.prepare(SELECT_BLOCKS_FROM)
  const lastPosition = database.prepare(SELECT_LAST_POSITION)
  let acknowledged = Number(
    database.prepare('SELECT acknowledged_position FROM progress').get()?.acknowledged_position,
  )
  /** Read with the last block but beyond the limit asked for: the next call's beginning. */
  let rest: KeptMessage[] = []
  let woken: Promise<void> | undefined
  let isClosed = false

  const load = (after: number): KeptMessage[] => {
    const messages: KeptMessage[] = []
    let bytes = 0
    for (const row of blocksFrom.iterate({ position: after + 1 })) {
      const data = row.data as Uint8Array
      for (const message of readBlock(data, Number(row.first_position))) {
        if (message.position > after) messages.push(message)
      }
      bytes += data.length
      if (messages.length >= READ_AHEAD_MESSAGES || bytes >= maxReadBytes) break
    }
    return messages
  }

  const take = (after: number, limit: number): KeptMessage[] => {
    if (rest[0]?.position !== after + 1) rest = load(after)
    const messages = rest.slice(0, limit)
    rest = rest.slice(limit)
    return messages
  }

  return {
    async read({ after, limit, signal }) {
      for (;;) {
        if (signal.aborted) return []
        if (isClosed) throw closedError()
        const start = Math.max(after, acknowledged)
        try {
          const messages = take(start, limit)
          if (messages.length > 0) return messages
          refuseFuture(start, Number(lastPosition.get()?.last_position))
        } catch (error) {
          throw toJournalError(file, `Cannot read the journal ${file}`, error)
        }
        woken ??= thread.waitFor(start).finally(() => (woken = undefined))
        await untilAborted(woken, signal).catch((error: unknown) => {
          throw isClosed ? closedError() : error
        })
      }
    },
    async acknowledge(position) {
      await thread.acknowledge(position)
      acknowledged = Math.max(acknowledged, position)
    },
    status: () => thread.status(),
    check: () => thread.check(),
    async close() {
      if (isClosed) return
      isClosed = true
      port.close()
      database.close()
    },
  }
}

function closedError(): AppError {
  return new AppError('journal-closed', 'The journal reader is closed', { status: 503 })
}

/** Small blocks are read together up to this many messages, so that a quiet city costs no query per message. */
const READ_AHEAD_MESSAGES = 20_000

/** Waiting there would never end well: the next messages get positions that the asker believes to have seen. */
function refuseFuture(after: number, last: number): void {
  if (after <= last) return
  throw new AppError(
    'journal-behind',
    `The stores have kept the journal up to ${after}, but it ends at ${last}: its file is not the one that belongs to them`,
  )
}

/** Waits for the promise or the signal, whichever is first. */
async function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<undefined>()
  const onAbort = (): void => resolve(undefined)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
