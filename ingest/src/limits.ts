/** Every bound of ingest. */
export interface IngestLimits {
  /** Messages taken from the journal at a time. */
  batchMessages: number
  /** Fewer messages than this are collected for so long before the next batch. */
  collectMessages: number
  collectMs: number
  /** While more is waiting, what batches change in the registry is collected for so long, or for so many sensors. */
  settleAfterMs: number
  settleStates: number
  /** Readings after which a batch is closed, though it has more messages. */
  batchReadings: number
  /** The same for what it puts into quarantine: entries, and bytes of their payloads. */
  batchQuarantineEntries: number
  batchQuarantineBytes: number
  /** Objects in one message. */
  objectsPerMessage: number
  /** Sensors that gateways may make known; beyond it an unknown id goes to quarantine. */
  sensors: number
  /** The first wait after a store failed, and the longest; in between it doubles. */
  retryFirstMs: number
  retryLongestMs: number
  /** How often a quiet ingest looks for new sensors. */
  refreshMs: number
  /** Stopping does not wait longer for a store that does not answer. */
  stopMs: number
}

export const DEFAULT_INGEST_LIMITS: Readonly<IngestLimits> = {
  batchMessages: 20_000,
  collectMessages: 5_000,
  collectMs: 20,
  settleAfterMs: 2_000,
  settleStates: 200_000,
  batchReadings: 50_000,
  batchQuarantineEntries: 10_000,
  batchQuarantineBytes: 16_777_216,
  objectsPerMessage: 1_000,
  sensors: 1_000_000,
  retryFirstMs: 100,
  retryLongestMs: 10_000,
  refreshMs: 1_000,
  stopMs: 1_000,
}
