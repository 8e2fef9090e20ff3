/**
 * The journal: what a PUBACK promises. A message is kept when its group commit is on disk; ingest reads the messages
 * in order, and they leave only when ingest has acknowledged them.
 */

/** Credential of messages that come again from quarantine. */
export const REPLAY_CREDENTIAL = 'quarantine/replay'

export interface JournalMessage {
  topic: string
  payload: Uint8Array
  /** Username of the credential that the publisher connected with, or `source/{name}` of an external broker. */
  credential: string
  /** Only for what was received before, and comes again from quarantine: the journal gives the time otherwise. */
  receivedAtMs?: number
}

/** The payload may be a view of a larger buffer: copy what is to be kept for long or sent to another thread. */
export interface KeptMessage extends JournalMessage {
  /** Rises by one a message, starts at 1, never comes twice: also not after everything was acknowledged or a restart. */
  position: number
  /**
   * Our receive time in ms. Unique per topic, so that messages without a device time keep their identity: a batch of n
   * objects reserves n milliseconds.
   */
  receivedAtMs: number
}

export interface JournalStatus {
  /** Messages kept and not yet acknowledged. */
  depth: number
  /** Their payloads and envelopes on disk. */
  bytes: number
  /** Receive time of the oldest of them. */
  oldestReceivedAtMs: number | null
  /** The size at which it takes no more until ingest has acknowledged some. */
  maxBytes: number
  /** Why it takes no messages at the moment (its bound, too little free disk); `null` while it takes them. */
  full: string | null
}

/** The broker's side. */
export interface JournalWriter {
  /**
   * Resolves once the message is on disk. Messages of the same moment share one commit and one promise. While the
   * journal is full it waits: what is not acknowledged is not lost, its sender holds it.
   * @throws AppError `journal-failed` when the commit failed: nothing of it is kept and nothing may be acknowledged
   */
  append(message: JournalMessage): Promise<void>
  /** Waits for what was appended, then lets go. While the journal is full it does not wait: the rest fails. */
  close(): Promise<void>
}

/** Ingest's side. */
export interface JournalReader {
  /**
   * The next messages behind `after`, in order, at most about `limit`; waits until there is one.
   * @returns an empty list once `signal` is aborted
   */
  read(options: { after: number; limit: number; signal: AbortSignal }): Promise<KeptMessage[]>
  /** Messages up to and with `position` are no longer needed. */
  acknowledge(position: number): Promise<void>
  status(): Promise<JournalStatus>
  /**
   * @throws AppError when the journal does not answer, `journal-failed` when it could not keep what came last,
   * `journal-full` while it takes none
   */
  check(): Promise<void>
  close(): Promise<void>
}
