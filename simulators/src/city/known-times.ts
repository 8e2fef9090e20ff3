import {
  AppError,
  parseTime,
  SECOND_MS,
  toIsoTime,
  type HistoryView,
  type SensorCollection,
} from '@pulso/model'

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

/**
 * Whether the box has a reading of exactly this sensor and time.
 * @throws AppError `api-unavailable` when the box does not answer
 */
export async function hasReading(
  apiUrl: string,
  { sensorId, timeMs }: { sensorId: string; timeMs: number },
  signal: AbortSignal,
): Promise<boolean> {
  const url = new URL(`/api/v1/sensors/${encodeURIComponent(sensorId)}/history`, apiUrl)
  url.searchParams.set('from', toIsoTime(timeMs - SECOND_MS))
  url.searchParams.set('to', toIsoTime(timeMs + SECOND_MS))
  const { points } = (await fetchJson(url, signal)) as HistoryView
  return points.some(({ time }) => parseTime(time) === timeMs)
}

async function fetchPage(apiUrl: string, cursor: string, signal: AbortSignal): Promise<SensorCollection> {
  const url = new URL('/api/v1/sensors', apiUrl)
  url.searchParams.set('limit', String(PAGE_SIZE))
  if (cursor) url.searchParams.set('cursor', cursor)
  return (await fetchJson(url, signal)) as SensorCollection
}

/** The API is our own and validated at its end, so its answers are taken as they come. */
async function fetchJson(url: URL, signal: AbortSignal): Promise<unknown> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) })
    if (!response.ok) throw new Error(`${url.pathname} answers ${response.status}`)
    return await response.json()
  } catch (cause) {
    throw new AppError('api-unavailable', `The API at ${url.origin} does not answer`, {
      cause,
      retryable: true,
    })
  }
}
