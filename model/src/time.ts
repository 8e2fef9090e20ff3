import { AppError } from './errors.ts'

export const SECOND_MS = 1_000
export const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
export const WEEK_MS = 7 * DAY_MS

const UNIT_MS: Record<string, number> = {
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: WEEK_MS,
}

/** Epoch milliseconds outside these years are a mistake (seconds or microseconds sent as milliseconds). */
const EARLIEST_MS = Date.UTC(2000, 0, 1)
const LATEST_MS = Date.UTC(2100, 0, 1)

// A time without a zone would mean something else in every city, so the zone is not optional.
const ISO_8601 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/

/**
 * A device's time: ISO 8601 with a zone, or epoch milliseconds.
 * @returns milliseconds since 1970 in UTC, or `undefined` when it is neither
 */
export function parseTime(raw: unknown): number | undefined {
  const ms = typeof raw === 'string' && ISO_8601.test(raw) && hasDay(raw) ? Date.parse(raw) : raw
  if (typeof ms !== 'number' || !Number.isFinite(ms)) return undefined
  if (ms < EARLIEST_MS || ms >= LATEST_MS) return undefined
  return Math.round(ms)
}

/** Whether the month has such a day: `Date.parse` takes 30 February for 2 March. */
function hasDay(iso: string): boolean {
  const [year, month, day] = [Number(iso.slice(0, 4)), Number(iso.slice(5, 7)), Number(iso.slice(8, 10))]
  return day <= 28 || day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

/** ISO 8601 in UTC, as every program reads it. */
export function toIsoTime(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

/**
 * A duration as people write it in settings: `250ms`, `5m`, `7d`.
 * @returns milliseconds
 * @throws AppError `invalid-duration`
 */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)$/.exec(text.trim())
  const unitMs = UNIT_MS[match?.[2] ?? '']
  if (!match || unitMs === undefined) {
    throw new AppError(
      'invalid-duration',
      `'${text}' is not a duration: write a number and a unit, like 30s, 5m, 12h or 7d`,
    )
  }
  return Number(match[1]) * unitMs
}

/** A duration as people say it, at most two units: `3 d 4 h`, `40 s`. */
export function formatDuration(durationMs: number): string {
  const units: [string, number][] = [
    ['d', DAY_MS],
    ['h', HOUR_MS],
    ['min', MINUTE_MS],
    ['s', SECOND_MS],
  ]
  let rest = Math.max(0, Math.round(durationMs / SECOND_MS) * SECOND_MS)
  const parts: string[] = []
  for (const [name, unitMs] of units) {
    const count = Math.floor(rest / unitMs)
    if (count > 0) parts.push(`${count} ${name}`)
    else if (parts.length > 0) break
    rest -= count * unitMs
  }
  return parts.slice(0, 2).join(' ') || '0 s'
}
