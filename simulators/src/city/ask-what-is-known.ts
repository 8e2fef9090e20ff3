import { toAppError } from '@pulso/model'
import type { Logger } from 'pino'
import type { Playable } from './backfill.ts'
import { fetchNewestTimes, hasReading } from './known-times.ts'

export interface AskOptions {
  apiUrl: string
  /** In the order of the back-fill. */
  playables: readonly Playable[]
  /** Where the past to be filled begins. */
  earliestMs: number
  logger: Logger
  signal: AbortSignal
}

/**
 * Since when the box lacks each sensor's readings. Empty when it does not answer, or when an earlier back-fill was broken
 * off: then the past is sent whole, for what the box already has is a duplicate and does no harm.
 */
export async function askWhatIsKnown(options: AskOptions): Promise<ReadonlyMap<string, number>> {
  const { apiUrl, logger, signal } = options
  try {
    const known = await fetchNewestTimes(apiUrl, signal)
    if (await isPastComplete(options, known)) return known
    logger.info('the past was not filled in to its end; sending it whole')
  } catch (error) {
    if (!signal.aborted) {
      logger.warn({ err: toAppError(error) }, 'the API does not answer; filling in the whole past')
    }
  }
  return new Map()
}

/**
 * A newest reading says nothing of those before it. But reports are the same at every start, so the sensor whose past is sent
 * last tells: when its oldest report is there, everything before was acknowledged.
 */
async function isPastComplete(
  { apiUrl, playables, earliestMs, signal }: AskOptions,
  known: ReadonlyMap<string, number>,
): Promise<boolean> {
  for (const { sensor, behaviour } of playables.toReversed()) {
    const newestMs = known.get(sensor.id)
    // Readings that end before the past begins leave no hole in it.
    if (newestMs === undefined || newestMs <= earliestMs) continue
    const oldestMs = behaviour.reportTimes(earliestMs, newestMs)[0]
    if (oldestMs === undefined) continue
    return hasReading(apiUrl, { sensorId: sensor.id, timeMs: oldestMs }, signal)
  }
  return true
}
