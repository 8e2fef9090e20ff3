import { DAY_MS, HOUR_MS, MINUTE_MS, type Resolution } from '@pulso/model'

/** How long buckets are, but for days and hours where the clocks change. */
export const BUCKET_MS: Readonly<Record<Resolution, number>> = {
  '5m': 5 * MINUTE_MS,
  '1h': HOUR_MS,
  '1d': DAY_MS,
}

/** Every bound of the aggregates' keeping. */
export interface RollupLimits {
  /** A bucket is rolled up so long after its end: what comes later than that is late. */
  graceMs: number
  /** How often the roller looks whether there is something to do. */
  everyMs: number
  /** Between two pieces of a long work it waits as long as the last one took, within these, so that ingest comes first. */
  pauseLeastMs: number
  pauseMostMs: number
  /** How long a piece of work should take: its buckets are halved above it and doubled far below. */
  pieceMs: number
  /** The most buckets of a piece. */
  pieceBuckets: number
  /** An hour that late readings keep changing is worked out anew so often at most. */
  restMs: number
  /** How often what is old enough is deleted. */
  forgetEveryMs: number
  /** The same after it failed. */
  forgetAgainMs: number
  /** The longest that a value holds for aggregates, whatever a sensor's own interval says. */
  holdMs: number
  /** How much of a zone's or the city's time a question may work out from readings; of a sensor's, the other. */
  measuredMs: number
  measuredOfSensorMs: number
  /** Buckets of one question. */
  questionBuckets: number
  /** The first wait after a store failed, and the longest; in between it doubles. */
  retryFirstMs: number
  retryLongestMs: number
  /** Stopping does not wait longer for a piece under way. */
  stopMs: number
}

export const DEFAULT_ROLLUP_LIMITS: Readonly<RollupLimits> = {
  graceMs: 30_000,
  everyMs: 5_000,
  pauseLeastMs: 20,
  pauseMostMs: 1_000,
  pieceMs: 400,
  pieceBuckets: 288,
  restMs: 60_000,
  forgetEveryMs: 3_600_000,
  forgetAgainMs: 60_000,
  holdMs: 31 * DAY_MS,
  measuredMs: 3 * DAY_MS,
  measuredOfSensorMs: 40 * DAY_MS,
  questionBuckets: 5_000,
  retryFirstMs: 500,
  retryLongestMs: 60_000,
  stopMs: 1_000,
}
