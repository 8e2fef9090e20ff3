import { MINUTE_MS } from './time.ts'

/** Free spaces are looked at every quarter of an hour: finer than people plan, coarse enough to learn in a moment. */
export const FORECAST_SLOT_MS = 15 * MINUTE_MS

/** What is known of a place's free spaces at each quarter of an hour. */
export interface FreeSeries {
  /** A whole quarter of an hour of UTC. */
  fromMs: number
  /** One number a slot; NaN where nothing is known. */
  free: Float64Array
}

export interface FreePoint {
  timeMs: number
  free: number
}

/**
 * Points in the order of time brought to quarters of an hour: the newest point that is not older than `holdMs` counts.
 * Nothing is filled in beyond that.
 */
export function toFreeSeries(
  points: Iterable<FreePoint>,
  { fromMs, toMs, holdMs }: { fromMs: number; toMs: number; holdMs: number },
): FreeSeries {
  const startMs = Math.ceil(fromMs / FORECAST_SLOT_MS) * FORECAST_SLOT_MS
  const count = Math.max(0, Math.ceil((toMs - startMs) / FORECAST_SLOT_MS))
  const free = new Float64Array(count).fill(NaN)
  let slot = 0
  let newest: FreePoint | undefined
  const fillUpTo = (endMs: number): void => {
    for (; slot < count; slot++) {
      const timeMs = startMs + slot * FORECAST_SLOT_MS
      if (timeMs >= endMs) return
      if (newest && timeMs - newest.timeMs <= holdMs) free[slot] = newest.free
    }
  }
  for (const point of points) {
    fillUpTo(point.timeMs)
    newest = point
  }
  fillUpTo(Infinity)
  return { fromMs: startMs, free }
}

/** The part before a moment, without a copy. */
export function cutSeries({ fromMs, free }: FreeSeries, endMs: number): FreeSeries {
  const count = Math.ceil((endMs - fromMs) / FORECAST_SLOT_MS)
  return { fromMs, free: free.subarray(0, Math.max(0, count)) }
}
