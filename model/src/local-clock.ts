import { MINUTE_MS } from './time.ts'

/** A moment as the city's people read it on the wall. */
export interface LocalMoment {
  /** 0 is Sunday. */
  weekday: number
  /** Minutes since midnight on the clock, with their fraction. */
  minute: number
}

export type LocalClock = (timeMs: number) => LocalMoment

/** Zones that still switch do so on whole half hours of UTC. */
const OFFSET_HOLDS_MS = 30 * MINUTE_MS
/** A year and a half of half hours; history is read through in order, so an emptied cache fills again at once. */
const MAX_CACHED_OFFSETS = 26_000
const DAY_MINUTES = 24 * 60

/** The wall clock of a time zone, daylight saving included. `Intl` is slow, so it is asked once a half hour of time. */
export function createLocalClock(timeZone: string): LocalClock {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset', hour: 'numeric' })
  const offsets = new Map<number, number>()

  const offsetAt = (timeMs: number): number => {
    const key = Math.floor(timeMs / OFFSET_HOLDS_MS)
    const known = offsets.get(key)
    if (known !== undefined) return known
    const parts = format.formatToParts(key * OFFSET_HOLDS_MS)
    const minutes = parseOffset(parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT')
    if (offsets.size >= MAX_CACHED_OFFSETS) offsets.clear()
    offsets.set(key, minutes)
    return minutes
  }

  return (timeMs) => {
    const localMinutes = timeMs / MINUTE_MS + offsetAt(timeMs)
    const day = Math.floor(localMinutes / DAY_MINUTES)
    // 1 January 1970 was a Thursday.
    return { weekday: (((day + 4) % 7) + 7) % 7, minute: localMinutes - day * DAY_MINUTES }
  }
}

/** `GMT`, `GMT+01:00` or `GMT-03:30` in minutes. */
function parseOffset(text: string): number {
  const match = /^GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(text)
  if (!match) return 0
  const minutes = Number(match[2]) * 60 + Number(match[3]) + Number(match[4] ?? 0) / 60
  return match[1] === '-' ? -minutes : minutes
}
