import type { Bucket, Resolution } from '@pulso/model'
import type { RollupContext } from './context.ts'

/** Rolls up, and finds out how much at a time takes about as long as a piece should. */
export interface Pieces {
  /** How many buckets the next piece should have. */
  most(kind: string, resolution: Resolution): number
  rollUp(piece: { kind: string; resolution: Resolution; buckets: readonly Bucket[] }): Promise<void>
}

/** A first piece: an hour, in its buckets of five minutes. */
const FIRST_BUCKETS = 12

export function createPieces({
  rollups,
  places,
  clock,
  metrics,
  limits,
}: Pick<RollupContext, 'rollups' | 'places' | 'clock' | 'metrics' | 'limits'>): Pieces {
  const sizes = new Map<string, number>()
  const most = (kind: string, resolution: Resolution): number =>
    Math.min(limits.pieceBuckets, sizes.get(`${kind} ${resolution}`) ?? FIRST_BUCKETS)

  return {
    most,
    async rollUp({ kind, resolution, buckets }) {
      // Each time: a reading that is not late any more may be of a sensor that was new a moment ago.
      await places.tell()
      const startedMs = performance.now()
      await rollups.rollUp({ kind, resolution, buckets, nowMs: clock.now() })
      const tookMs = performance.now() - startedMs
      metrics.duration.observe({ resolution }, tookMs / 1_000)
      metrics.buckets.inc({ resolution }, buckets.length)
      const size = most(kind, resolution)
      if (tookMs > limits.pieceMs) sizes.set(`${kind} ${resolution}`, Math.max(1, Math.floor(size / 2)))
      else if (tookMs < limits.pieceMs / 4 && buckets.length >= size)
        sizes.set(`${kind} ${resolution}`, Math.min(limits.pieceBuckets, size * 2))
    },
  }
}
