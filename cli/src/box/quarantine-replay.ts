import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, type QuarantineReplayed } from '@pulso/model'
import {
  REPLAY_CREDENTIAL,
  type JournalMessage,
  type JournalStatus,
  type JournalWriter,
  type QuarantineFilter,
  type QuarantineRegistry,
  type StoredQuarantineEntry,
} from '@pulso/stores'

export interface ReplayOptions {
  registry: QuarantineRegistry
  journal: JournalWriter
  /** How far ingest is, and what is before it. */
  progress(): Promise<{ position: number; journal: JournalStatus }>
  limits?: Partial<ReplayLimits>
}

export interface ReplayLimits {
  /** Entries of one step: it holds their payloads in memory. */
  entries: number
  /** How long a step waits for the journal, and how long for ingest. */
  waitMs: number
  /** How often it looks. */
  lookMs: number
}

/** Puts messages from quarantine into the journal again: ingest takes them as if they had just arrived, at their first time. */
export interface Replay {
  /**
   * Takes the oldest entries behind `after`. They leave quarantine only after the journal's commit: killed in between,
   * they are in both, and identity makes the second replay harmless.
   * @throws AppError `replay-held-back` (503, retryable) when the journal takes nothing at the moment
   */
  step(filter: QuarantineFilter & { throughId: number }, after: number): Promise<QuarantineReplayed>
}

const DEFAULT_LIMITS: ReplayLimits = { entries: 200, waitMs: 5_000, lookMs: 20 }

export function createReplay({ registry, journal, progress, ...options }: ReplayOptions): Replay {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  let last: Promise<unknown> = Promise.resolve()

  /** @returns whether ingest has got past what is in the journal now */
  const settle = async (): Promise<boolean> => {
    const { position, journal: before } = await progress()
    // At least the journal's end: ingest is never behind what the journal has forgotten.
    const end = position + before.depth
    for (let waitedMs = 0; waitedMs < limits.waitMs; waitedMs += limits.lookMs) {
      const now = await progress()
      if (now.position >= end || now.journal.depth === 0) return true
      await sleep(limits.lookMs)
    }
    return false
  }

  const run = async (filter: QuarantineFilter & { throughId: number }, after: number) => {
    const { full } = (await progress()).journal
    if (full !== null) throw heldBack(`The journal takes nothing at the moment: ${full}`)
    const { entries: limit } = limits
    const entries = await registry.listQuarantine({ ...filter, afterId: after, limit })
    const { returned } = await registry.countQuarantine()
    const messages = toMessages(entries)
    await within(limits.waitMs, Promise.all(messages.map((message) => journal.append(message))))
    await registry.releaseQuarantine(entries.map(({ id }) => id))
    const settled = entries.length === 0 || (await settle())
    const last = entries.at(-1)?.id
    return {
      entries: entries.length,
      messages: messages.length,
      refused: (await registry.countQuarantine()).returned - returned,
      settled,
      next: last === undefined || entries.length < limit ? null : { after: last, through: filter.throughId },
    }
  }

  return {
    step(filter, after) {
      // One at a time: what came back is told by a counter.
      const step = last.then(() => run(filter, after))
      last = step.catch(() => undefined)
      return step
    },
  }
}

/** Entries about several metrics of one message hold the same message: it goes in once. */
function toMessages(entries: readonly StoredQuarantineEntry[]): JournalMessage[] {
  const messages: (JournalMessage & { receivedAtMs: number })[] = []
  for (const { topic, payload, receivedAtMs } of entries) {
    const isKnown = messages.some(
      (known) =>
        known.receivedAtMs === receivedAtMs &&
        known.topic === topic &&
        Buffer.compare(known.payload, payload) === 0,
    )
    if (!isKnown) messages.push({ topic, payload, receivedAtMs, credential: REPLAY_CREDENTIAL })
  }
  return messages
}

async function within(waitMs: number, work: Promise<unknown>): Promise<void> {
  const waiting = new AbortController()
  const tooLong = sleep(waitMs, undefined, { signal: waiting.signal }).then(
    () => {
      throw heldBack('The journal has not taken the messages in time; they are still in quarantine')
    },
    () => undefined,
  )
  try {
    await Promise.race([work, tooLong])
  } finally {
    waiting.abort()
  }
}

function heldBack(message: string): AppError {
  return new AppError('replay-held-back', message, { status: 503, retryable: true })
}
