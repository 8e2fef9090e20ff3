import { DAY_MS, HOUR_MS } from '@pulso/model'

/** A moment as the city's people read it on the wall. */
export interface LocalMoment {
  /** Days since 1970 of the local date. */
  day: number
  /** 0 is Sunday. */
  weekday: number
  /** Hours since local midnight, with their fraction. */
  hour: number
  /** 0 is January. */
  month: number
}

export interface LocalTime {
  at(timeMs: number): LocalMoment
  /** When the local date of `timeMs` began. */
  startOfDayMs(timeMs: number): number
}

/** More hours than a back-filled day and a running one need. */
const MAX_CACHED_HOURS = 5_000

/** The city's wall clock, daylight saving included. `Intl` is asked once an hour of time, for it is slow. */
export function createLocalTime(timeZone: string): LocalTime {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset', hour: 'numeric' })
  const offsetsMs = new Map<number, number>()

  const offsetAt = (timeMs: number): number => {
    // Zones switch on whole quarters, and all that still switch do so on whole hours of UTC or half of them.
    const slot = Math.floor(timeMs / (HOUR_MS / 2))
    const known = offsetsMs.get(slot)
    if (known !== undefined) return known
    const parts = format.formatToParts(slot * (HOUR_MS / 2))
    const offsetMs = parseOffset(parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT')
    if (offsetsMs.size >= MAX_CACHED_HOURS) offsetsMs.clear()
    offsetsMs.set(slot, offsetMs)
    return offsetMs
  }

  return {
    at(timeMs) {
      const localMs = timeMs + offsetAt(timeMs)
      const day = Math.floor(localMs / DAY_MS)
      return {
        day,
        weekday: (((day + 4) % 7) + 7) % 7,
        hour: (localMs - day * DAY_MS) / HOUR_MS,
        month: new Date(localMs).getUTCMonth(),
      }
    },
    startOfDayMs(timeMs) {
      const localMs = timeMs + offsetAt(timeMs)
      const midnightMs = Math.floor(localMs / DAY_MS) * DAY_MS
      const guessMs = midnightMs - offsetAt(timeMs)
      // On the day of a switch the offset at midnight is another than the one now.
      return midnightMs - offsetAt(guessMs)
    },
  }
}

/** `GMT`, `GMT+01:00` or `GMT-03:30` in milliseconds. */
function parseOffset(text: string): number {
  const match = /^GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(text)
  if (!match) return 0
  const minutes = Number(match[2]) * 60 + Number(match[3]) + Number(match[4] ?? 0) / 60
  return (match[1] === '-' ? -1 : 1) * minutes * 60_000
}
