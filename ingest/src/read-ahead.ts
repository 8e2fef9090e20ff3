import { setTimeout as sleep } from 'node:timers/promises'
import type { JournalReader, KeptMessage } from '@pulso/stores'
import type { IngestLimits } from './limits.ts'

/**
 * A batch costs as much as hundreds of messages (transactions, syncs), and people see no difference of some milliseconds:
 * while few messages come at a time, they are collected for a moment. One that comes alone does not wait.
 */
export async function pause(
  lastRead: { atMs: number; count: number },
  { limits, signal }: { limits: IngestLimits; signal: AbortSignal },
): Promise<void> {
  if (lastRead.count === 0 || lastRead.count >= limits.collectMessages) return
  const leftMs = lastRead.atMs + limits.collectMs - performance.now()
  if (leftMs > 0) await sleep(leftMs, undefined, { signal }).catch(() => undefined)
}

/** Messages on their way, and whether some have arrived. */
export function createReadAhead(messages: Promise<KeptMessage[]>) {
  let isThere = false
  messages.then(
    ({ length }) => (isThere = length > 0),
    () => undefined,
  )
  return { messages, isThere: () => isThere }
}

/** The next messages, or none after a while, so that a quiet ingest looks around too. */
export async function readNext(
  journal: JournalReader,
  { after, limits, signal }: { after: number; limits: IngestLimits; signal: AbortSignal },
): Promise<KeptMessage[]> {
  const quiet = new AbortController()
  const timer = setTimeout(() => quiet.abort(), limits.refreshMs)
  try {
    const either = AbortSignal.any([signal, quiet.signal])
    return await journal.read({ after, limit: limits.batchMessages, signal: either })
  } finally {
    clearTimeout(timer)
  }
}
