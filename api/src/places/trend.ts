import { MINUTE_MS } from '@pulso/model'

export type Trend = 'rising' | 'steady' | 'falling'

export interface FreeSample {
  timeMs: number
  free: number
}

/** How often a place's free spaces are noted, and how many notes are kept: half an hour. */
export const SAMPLE_EVERY_MS = 5 * MINUTE_MS
const MAX_SAMPLES = 7
/** A trend is the difference to the oldest note of this age. */
const [LEAST_AGE_MS, MOST_AGE_MS] = [14 * MINUTE_MS, 31 * MINUTE_MS]
/** Less than this is a car or two that came and went. */
const LEAST_SPACES = 2
const LEAST_SHARE = 0.03

/** Adds a note where the last one is old enough; the oldest goes. */
export function addSample(samples: FreeSample[], sample: FreeSample): void {
  const last = samples.at(-1)
  if (last && sample.timeMs - last.timeMs < SAMPLE_EVERY_MS) return
  samples.push(sample)
  if (samples.length > MAX_SAMPLES) samples.shift()
}

/** Whether more or fewer are free than 15 to 30 minutes ago; `null` until that is known. */
export function toTrend(
  samples: readonly FreeSample[],
  { free, total, nowMs }: { free: number | null; total: number | null; nowMs: number },
): Trend | null {
  const then = samples.find(({ timeMs }) => nowMs - timeMs <= MOST_AGE_MS)
  if (!then || free === null || nowMs - then.timeMs < LEAST_AGE_MS) return null
  const change = free - then.free
  if (Math.abs(change) < Math.max(LEAST_SPACES, (total ?? 0) * LEAST_SHARE)) return 'steady'
  return change > 0 ? 'rising' : 'falling'
}
