import { BURST_SECONDS } from './limits.ts'

/** A rate: tokens flow in by the second, up to a burst; below 0 is a debt that has to be waited for. */
export interface Bucket {
  readonly perSecond: number
  tokens: number
  refilledMs: number
}

/** A full bucket, or none where the rate is 0: no bound. */
export function createBucket(perSecond: number, nowMs: number): Bucket | undefined {
  return perSecond > 0 ? { perSecond, tokens: perSecond * BURST_SECONDS, refilledMs: nowMs } : undefined
}

/** The tokens of this moment. */
export function tokensAt(bucket: Bucket, nowMs: number): number {
  const elapsedMs = nowMs - bucket.refilledMs
  bucket.refilledMs = nowMs
  // A clock that was set back gives nothing, and takes nothing.
  if (elapsedMs > 0) {
    const full = bucket.perSecond * BURST_SECONDS
    bucket.tokens = Math.min(full, bucket.tokens + (elapsedMs * bucket.perSecond) / 1_000)
  }
  return bucket.tokens
}

/** Takes one token if there is one. */
export function takeToken(bucket: Bucket | undefined, nowMs: number): boolean {
  if (!bucket) return true
  if (tokensAt(bucket, nowMs) < 1) return false
  bucket.tokens--
  return true
}

/** How long until there is a whole token, as of the last look. */
export function msUntilToken(bucket: Bucket): number {
  return bucket.tokens >= 1 ? 0 : ((1 - bucket.tokens) / bucket.perSecond) * 1_000
}
