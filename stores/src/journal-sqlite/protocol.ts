import type { MessagePort } from 'node:worker_threads'
import type { JournalStatus } from '../journal.ts'
import type { JournalBounds } from './room.ts'

/** What the commit thread is started with. */
export interface CommitThreadData {
  file: string
  bounds: JournalBounds
  continueAfter: number
}

/** From the owner to the commit thread. */
export type OwnerRequest = { type: 'connect-writer' | 'connect-reader'; port: MessagePort } | { type: 'stop' }

/** From the commit thread to its owner: it is open, or it could not open the file. */
export type OwnerAnswer =
  | { type: 'ready' }
  | { type: 'refused'; error: { code: string; message: string; retryable: boolean } }
  /** Why it takes no messages at the moment; `null` when it takes them again. */
  | { type: 'full'; reason: string | null }

/** From a writer: a block of messages whose memory changes hands. A writer has one under way at a time. */
export interface WriterRequest {
  memory: ArrayBuffer
  bytes: number
  /** When its first message came. */
  arrivedAtMs: number
}

/** To a writer, about its block: kept, or not at all; or it has to wait for room, and one of the two comes later. */
export type WriterAnswer = { kept: true } | { kept: false; message: string } | { held: string }

/** What a reader may call. */
export interface ReaderMethods {
  /** Resolves as soon as there is a message behind `after`. */
  waitFor(after: number): Promise<void>
  acknowledge(position: number): Promise<void>
  status(): JournalStatus
  /** @throws AppError `journal-failed`, `journal-full` while messages cannot be kept */
  check(): void
}
