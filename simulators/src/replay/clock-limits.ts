import { AppError, DAY_MS, type CityView, type ClockLimits } from '@pulso/model'

const TIMEOUT_MS = 5_000

/**
 * The limits of a running box.
 * @throws AppError `api-unavailable` when the box does not answer
 */
export async function fetchClockLimits(apiUrl: string): Promise<ClockLimits> {
  try {
    const response = await fetch(new URL('/api/v1/city', apiUrl), { signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (!response.ok) throw new Error(`/api/v1/city answers ${response.status}`)
    return ((await response.json()) as CityView).clock
  } catch (cause) {
    throw new AppError('api-unavailable', `The API at ${apiUrl} does not answer`, { cause, retryable: true })
  }
}

/** A limit in whole days that would let a row through which is so old, with a day to spare for the replay itself. */
export function toClockPastSetting(ageMs: number): string {
  return `PULSO_CLOCK_PAST=${Math.ceil(ageMs / DAY_MS) + 1}d`
}
