import type { MessagePort } from 'node:worker_threads'
import { AppError, systemClock, type Clock } from '@pulso/model'
import type { JournalMessage, JournalWriter } from '../journal.ts'
import { createBlockPacker, fitsRecord, maxRecordBytes, type BlockPacker } from './block.ts'
import type { WriterAnswer, WriterRequest } from './protocol.ts'

export interface SqliteJournalWriterOptions {
  /** From the journal's `writerPort()`. */
  port: MessagePort
  /** Appended and not yet committed bytes at which `append` begins to wait. */
  maxPendingBytes?: number
  /** The size at which a group takes no more, so that one commit stays short. */
  maxGroupBytes?: number
  clock?: Clock
}

/** Messages that are committed together and share one promise. */
interface Group {
  packer: BlockPacker
  arrivedAtMs: number
  kept: Promise<void>
  resolve: () => void
  reject: (error: AppError) => void
}

interface Waiter {
  message: JournalMessage
  resolve: (kept: Promise<void>) => void
  reject: (error: AppError) => void
}

const DEFAULT_MAX_PENDING_BYTES = 64 * 1024 * 1024
const DEFAULT_MAX_GROUP_BYTES = 4 * 1024 * 1024

/** Packs messages into groups: while one is being committed, the next is collected. */
export function createSqliteJournalWriter({
  port,
  maxPendingBytes = DEFAULT_MAX_PENDING_BYTES,
  maxGroupBytes = DEFAULT_MAX_GROUP_BYTES,
  clock = systemClock,
}: SqliteJournalWriterOptions): JournalWriter {
  /** Not yet sent; the last one is being filled. */
  let collected: Group[] = []
  let underWay: Group | undefined
  /** Beyond the bound: held by callers that wait. */
  let waiting: Waiter[] = []
  let pendingBytes = 0
  let isScheduled = false
  let isClosing = false
  /** Why the group under way waits in the journal. */
  let held: string | undefined
  let closed: AppError | undefined

  const send = (): void => {
    isScheduled = false
    if (underWay || closed) return
    underWay = collected.shift()
    if (!underWay) return
    const { packer, arrivedAtMs } = underWay
    const memory = packer.take()
    port.postMessage({ memory, bytes: packer.bytes, arrivedAtMs } satisfies WriterRequest, [memory])
  }

  const hasRoom = (message: JournalMessage): boolean =>
    pendingBytes === 0 || pendingBytes + maxRecordBytes(message) <= maxPendingBytes

  const add = (message: JournalMessage): Promise<void> => {
    let group = collected.at(-1)
    if (!group || group.packer.bytes >= maxGroupBytes) collected.push((group = createGroup(clock.now())))
    const before = group.packer.bytes
    group.packer.add(message)
    pendingBytes += group.packer.bytes - before
    // At the end of the loop's turn: all that its sockets brought goes into one group.
    if (!underWay && !isScheduled) {
      isScheduled = true
      setImmediate(send)
    }
    return group.kept
  }

  const admitWaiting = (): void => {
    let admitted = 0
    for (const { message, resolve } of waiting) {
      if (!hasRoom(message)) break
      resolve(add(message))
      admitted++
    }
    waiting = waiting.slice(admitted)
  }

  const failAll = (error: AppError): void => {
    closed ??= error
    for (const group of underWay ? [underWay, ...collected] : collected) group.reject(closed)
    for (const { reject } of waiting) reject(closed)
    underWay = undefined
    collected = []
    waiting = []
  }

  /** Whoever closes does not wait for room: nobody knows when there will be some. */
  const giveUpHeld = (): void => {
    if (isClosing && held !== undefined) failAll(failed(`The journal is full: ${held}`))
  }

  port.on('message', (answer: WriterAnswer) => {
    const group = underWay
    if (!group) return
    if ('held' in answer) {
      held = answer.held
      giveUpHeld()
      return
    }
    held = undefined
    underWay = undefined
    pendingBytes -= group.packer.bytes
    if (answer.kept) group.resolve()
    else group.reject(failed(answer.message))
    send()
    admitWaiting()
  })
  port.on('close', () => failAll(failed("The journal's thread has ended")))

  return {
    append(message) {
      if (closed) return Promise.reject(closed)
      if (!fitsRecord(message)) return Promise.reject(tooLarge(message))
      if (waiting.length === 0 && hasRoom(message)) return add(message)
      return new Promise<void>((resolve, reject) => waiting.push({ message, resolve, reject }))
    },
    async close() {
      isClosing = true
      giveUpHeld()
      while (!closed && (underWay !== undefined || collected.length > 0 || waiting.length > 0)) {
        await Promise.allSettled([underWay?.kept, ...collected.map(({ kept }) => kept)])
      }
      closed ??= new AppError('journal-closed', 'The journal takes no more messages', { status: 503 })
      port.close()
    },
  }
}

function createGroup(arrivedAtMs: number): Group {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  return {
    packer: createBlockPacker(),
    arrivedAtMs,
    kept: promise,
    resolve: () => resolve(undefined),
    reject,
  }
}

function failed(message: string): AppError {
  return new AppError('journal-failed', message, { retryable: true, status: 503 })
}

function tooLarge({ topic, credential, payload }: JournalMessage): AppError {
  return new AppError(
    'journal-message-too-large',
    `A message does not fit: topic ${topic.length}, credential ${credential.length}, payload ${payload.length} long`,
    { status: 413 },
  )
}
