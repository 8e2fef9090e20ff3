import { AppError, parseTime, type SensorCollection } from '@pulso/model'

const PAGE_SIZE = 10_000
/** A box with more pages than this is not one that a virtual city runs in. */
const MAX_PAGES = 100
const TIMEOUT_MS = 5_000

/**
 * The newest time that the box has of each sensor, so that only the gap since then is filled.
 * @throws AppError `api-unavailable` when the box does not answer
 */
export async function fetchNewestTimes(apiUrl: string, signal: AbortSignal): Promise<Map<string, number>> {
  const times = new Map<string, number>()
  let cursor: string | null = ''
  for (let page = 0; cursor !== null && page < MAX_PAGES; page++) {
    const collection = await fetchPage(apiUrl, cursor, signal)
    for (const { id, properties } of collection.features) {
      const timeMs = parseTime(properties.time)
      if (timeMs !== undefined) times.set(id, timeMs)
    }
    cursor = collection.next
  }
  return times
}

async function fetchPage(apiUrl: string, cursor: string, signal: AbortSignal): Promise<SensorCollection> {
  const url = new URL('/api/v1/sensors', apiUrl)
  url.searchParams.set('limit', String(PAGE_SIZE))
  if (cursor) url.searchParams.set('cursor', cursor)
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) })
    if (!response.ok) throw new Error(`${url.pathname} answers ${response.status}`)
    // The API is our own and validated at its end.
    return (await response.json()) as SensorCollection
  } catch (cause) {
    throw new AppError('api-unavailable', `The API at ${apiUrl} does not answer`, { cause, retryable: true })
  }
}
