/** What the quarantine holds at most; beyond it, it drops entries and counts them. */
export interface QuarantineBounds {
  /** Beyond either of these the oldest go. */
  maxEntries: number
  /** Of payloads. */
  maxBytes: number
  /** Entries of the same mistake of the same sensor: beyond it the oldest of these go. */
  maxEntriesPerTotal: number
  /** Rows of totals: whoever comes later shares one row for each reason. */
  maxTotals: number
}

export const DEFAULT_QUARANTINE_BOUNDS: Readonly<QuarantineBounds> = {
  maxEntries: 100_000,
  maxBytes: 256 * 1024 * 1024,
  maxEntriesPerTotal: 100,
  maxTotals: 10_000,
}

/** What of a payload stands in the totals as a sample. */
export const QUARANTINE_SAMPLE_BYTES = 512

/** How much the journal takes before senders have to wait. */
export const DEFAULT_JOURNAL_BOUNDS = {
  /** Of messages that are not yet ingested. */
  maxBytes: 8 * 1024 ** 3,
  /** What is left of the disk for others: the readings grow while the journal drains. */
  minFreeBytes: 512 * 1024 ** 2,
} as const
