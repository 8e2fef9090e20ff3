import { MINUTE_MS, toIsoTime } from '@pulso/model'
import type { ReadingsPage } from '@pulso/stores'

/** Writes pages of readings in one format, piece by piece: what comes first, each page, what comes last. */
export interface Encoder {
  head(): string
  page(page: ReadingsPage): string
  tail(): string
}

/**
 * Times in ISO 8601, UTC, as `toIsoTime` gives them. Rows come by time: most lie in the minute of the one before, of which
 * only the seconds have to be written anew.
 */
export function createIsoTimes(): (timeMs: number | undefined) => string {
  let minuteMs = Number.NaN
  let minute = ''
  return (timeMs = Number.NaN) => {
    if (Number.isNaN(timeMs)) return ''
    const sinceMs = timeMs - minuteMs
    if (sinceMs >= 0 && sinceMs < MINUTE_MS) return minute + toSeconds(sinceMs)
    minuteMs = Math.floor(timeMs / MINUTE_MS) * MINUTE_MS
    minute = toIsoTime(minuteMs).slice(0, -SECONDS_LENGTH)
    return minute + toSeconds(timeMs - minuteMs)
  }
}

const SECONDS_LENGTH = '00.000Z'.length

/** `07.450Z` */
function toSeconds(sinceMs: number): string {
  const text = String(100_000 + Math.trunc(sinceMs))
  return `${text.slice(1, 3)}.${text.slice(3)}Z`
}

/** A value of a page, `null` where the reading has none. */
export function toValue(value: string | number | null | undefined): string | number | null {
  return value === undefined || Number.isNaN(value) ? null : value
}
