import { HOUR_MS, SECOND_MS, type HourlyMean } from '@pulso/model'

/** `[timeMs, value]` */
export type Sample = readonly [number, number]

/**
 * A sensor that measures more often is sampled: one value per 30 s stands for them, so that an hour is 121 samples at
 * most and a sensor's state stays small enough to be written with every batch.
 */
export const SAMPLE_SPACING_MS = 30 * SECOND_MS

/**
 * Puts a sample where its time belongs. The same time replaces; of two within one spacing the newer stays.
 * @param samples oldest first; changed in place
 */
export function addSample(samples: Sample[], sample: Sample): void {
  const [timeMs] = sample
  let index = samples.length
  while (index > 0 && (samples[index - 1]?.[0] ?? 0) > timeMs) index--
  const before = samples[index - 1]
  const after = samples[index]
  if (before && toSlot(before) === toSlot(sample)) samples[index - 1] = sample
  else if (!after || toSlot(after) !== toSlot(sample)) samples.splice(index, 0, sample)
}

/** The samples of (newestMs - 1 h, newestMs]. */
export function lastHour(samples: readonly Sample[], newestMs: number): readonly Sample[] {
  const first = samples.findIndex(([timeMs]) => timeMs > newestMs - HOUR_MS)
  if (first === 0) return samples
  return first === -1 ? [] : samples.slice(first)
}

/** @param intervalMs how often the sensor should report */
export function toHourlyMean(samples: readonly Sample[], intervalMs: number): HourlyMean {
  let sum = 0
  for (const [, value] of samples) sum += value
  const expected = HOUR_MS / Math.max(intervalMs, SAMPLE_SPACING_MS)
  return { mean: sum / samples.length, coverage: Math.min(1, samples.length / expected) }
}

function toSlot([timeMs]: Sample): number {
  return Math.floor(timeMs / SAMPLE_SPACING_MS)
}
