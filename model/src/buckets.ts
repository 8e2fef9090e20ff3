import type { Bucket, Resolution } from './rollup.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './time.ts'

/** A city's days and what they are cut into. */
export interface Calendar {
  /**
   * All buckets that overlap the period (its end excluded), in order and whole: the first may begin before it and the
   * last end behind it. As many as there are: the caller bounds the period.
   */
  bucketsOf(resolution: Resolution, fromMs: number, toMs: number): Bucket[]
  /** The bucket that the moment lies in. */
  bucketAt(resolution: Resolution, timeMs: number): Bucket
}

const FIVE_MINUTES_MS = 5 * MINUTE_MS
/** Of days: more than ten years. */
const MAX_CACHED = 4_000

/**
 * - `5m`: multiples of five minutes in UTC.
 * - `1d`: the city's days, from one local midnight to the next, so 23 or 25 hours where the clocks change. Where midnight
 *   itself is skipped the day begins with the moment that has its date.
 * - `1h`: each day cut into hours from its beginning, so that a day is made of whole hour buckets; what remains (clocks
 *   that change by half an hour) is a short one.
 */
export function createCalendar(timeZone: string): Calendar {
  const days = createDays(timeZone)

  const bucketAt = (resolution: Resolution, timeMs: number): Bucket => {
    if (resolution === '5m') {
      const fromMs = Math.floor(timeMs / FIVE_MINUTES_MS) * FIVE_MINUTES_MS
      return { fromMs, toMs: fromMs + FIVE_MINUTES_MS }
    }
    const day = days.at(timeMs)
    if (resolution === '1d') return day
    const fromMs = day.fromMs + Math.floor((timeMs - day.fromMs) / HOUR_MS) * HOUR_MS
    return { fromMs, toMs: Math.min(fromMs + HOUR_MS, day.toMs) }
  }

  return {
    bucketAt,
    bucketsOf(resolution, fromMs, toMs) {
      const buckets: Bucket[] = []
      for (let timeMs = fromMs; timeMs < toMs;) {
        const bucket = bucketAt(resolution, timeMs)
        buckets.push(bucket)
        timeMs = bucket.toMs
      }
      return buckets
    },
  }
}

/** Days are counted by their local date, since 1970. */
function createDays(timeZone: string): { at(timeMs: number): Bucket } {
  const offsetAt = createOffsets(timeZone)
  // `Intl` is slow, and the clocks change twice a year: the offset at midnight in UTC is asked for once a day.
  const dailyOffset = createCache((day) => offsetAt(day * DAY_MS))

  const startOf = createCache((day) => {
    const midnightMs = day * DAY_MS
    const [before, after] = [dailyOffset(day - 1), dailyOffset(day + 1)]
    if (before === after) return midnightMs - before
    const changeMs = findChange(offsetAt, midnightMs - DAY_MS, midnightMs + DAY_MS)
    if (midnightMs - before < changeMs) return midnightMs - before
    return Math.max(changeMs, midnightMs - after)
  })

  return {
    at(timeMs) {
      let day = Math.floor((timeMs + dailyOffset(Math.floor(timeMs / DAY_MS))) / DAY_MS)
      while (startOf(day) > timeMs) day--
      // Also over a date that there was not: it begins and ends at once.
      while (startOf(day + 1) <= timeMs) day++
      return { fromMs: startOf(day), toMs: startOf(day + 1) }
    },
  }
}

/** The first moment with the offset of the end; there is one change at most within two days. */
function findChange(offsetAt: (timeMs: number) => number, fromMs: number, toMs: number): number {
  const after = offsetAt(toMs)
  let [earlier, later] = [fromMs, toMs]
  while (later - earlier > SECOND_MS) {
    const middle = earlier + Math.floor((later - earlier) / (2 * SECOND_MS)) * SECOND_MS
    if (offsetAt(middle) === after) later = middle
    else earlier = middle
  }
  return later
}

/** What the local clock shows ahead of UTC, in ms. */
function createOffsets(timeZone: string): (timeMs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset', hour: 'numeric' })
  return (timeMs) =>
    parseOffset(format.formatToParts(timeMs).find(({ type }) => type === 'timeZoneName')?.value ?? '')
}

/** `GMT`, `GMT+01:00` or `GMT-00:14:44` in ms. */
function parseOffset(text: string): number {
  const match = /^GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(text)
  if (!match) return 0
  const offsetMs =
    Number(match[2]) * HOUR_MS + Number(match[3]) * MINUTE_MS + Number(match[4] ?? 0) * SECOND_MS
  return match[1] === '-' ? -offsetMs : offsetMs
}

function createCache(work: (key: number) => number): (key: number) => number {
  const known = new Map<number, number>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found
    const value = work(key)
    if (known.size >= MAX_CACHED) known.clear()
    known.set(key, value)
    return value
  }
}
