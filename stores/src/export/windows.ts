import { DAY_MS, HOUR_MS } from '@pulso/model'

export interface Window {
  /** Included. */
  fromMs: number
  /** Not included. */
  toMs: number
}

const FIRST_MS = HOUR_MS
const LONGEST_MS = 30 * DAY_MS

/**
 * Cuts a period into pieces of at most `maxRows` readings (one millisecond may hold more), so that each can be sorted
 * in little memory. Where there is little, the pieces grow; empty ones are left out.
 */
export async function* walkWindows({
  fromMs,
  toMs,
  maxRows,
  count,
}: Window & { maxRows: number; count: (window: Window) => Promise<number> }): AsyncGenerator<Window> {
  let lengthMs = FIRST_MS
  for (let atMs = fromMs; atMs < toMs;) {
    const window = { fromMs: atMs, toMs: Math.min(toMs, atMs + lengthMs) }
    const rows = await count(window)
    const spanMs = window.toMs - window.fromMs
    if (rows > maxRows && spanMs > 1) {
      // At least halved, so that it comes to an end however the readings lie.
      lengthMs = Math.max(1, Math.min(Math.floor(spanMs / 2), Math.floor((spanMs * maxRows) / rows)))
      continue
    }
    if (rows > 0) yield window
    atMs = window.toMs
    if (rows < maxRows / 4) lengthMs = Math.min(LONGEST_MS, lengthMs * 4)
  }
}
