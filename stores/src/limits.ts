/** Beyond either of these the quarantine drops its oldest entries. */
export const DEFAULT_QUARANTINE_BOUNDS = {
  maxEntries: 100_000,
  /** Of payloads. */
  maxBytes: 256 * 1024 * 1024,
} as const
