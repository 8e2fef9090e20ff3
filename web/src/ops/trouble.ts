import type { OpsOverview } from '@pulso/model'

/** What keeps readings from being stored, or has until a moment ago. */
export type Trouble =
  /** The journal takes nothing more: devices are held back. */
  | { state: 'full'; reason: string }
  /** A store fails and ingest tries again: messages wait in the journal. */
  | { state: 'retrying'; reason: string | null }
  /** It is over; what waited is being stored. */
  | { state: 'recovered'; sinceMs: number }

/** Good news stays for as long as it takes to be read, and while there is a queue. */
const RECOVERED_MS = 30_000
/** From here on nobody would call it a queue. */
const QUEUE_AGE_MS = 5_000

/** What the newest answer makes of what was known. */
export function nextTrouble(
  before: Trouble | null,
  { journal, ingest }: Pick<OpsOverview, 'journal' | 'ingest'>,
  nowMs: number,
): Trouble | null {
  if (journal.full !== null) return { state: 'full', reason: journal.full }
  if (ingest.state === 'retrying') return { state: 'retrying', reason: ingest.error }
  if (!before) return null
  if (before.state !== 'recovered') return { state: 'recovered', sinceMs: nowMs }
  const isDrained = (journal.oldestAgeMs ?? 0) < QUEUE_AGE_MS
  return isDrained && nowMs - before.sinceMs > RECOVERED_MS ? null : before
}
