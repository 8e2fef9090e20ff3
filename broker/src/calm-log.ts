import type { Clock } from '@pulso/model'
import type { Logger } from 'pino'

export interface CalmLog {
  warn(message: string, fields: object): void
  error(message: string, fields: object): void
}

const WINDOW_MS = 10_000
const LINES_PER_WINDOW = 20

/**
 * A log that strangers cannot flood: 20 lines per message text in 10 s, and the next one says how many were left out.
 * The metrics count all of them.
 */
export function createCalmLog(logger: Logger, clock: Clock): CalmLog {
  const windows = new Map<string, { startMs: number; lines: number; left: number }>()

  const write = (level: 'warn' | 'error', message: string, fields: object): void => {
    const nowMs = clock.now()
    const window = windows.get(message) ?? { startMs: nowMs, lines: 0, left: 0 }
    windows.set(message, window)
    let leftOut = 0
    if (nowMs - window.startMs >= WINDOW_MS || nowMs < window.startMs) {
      leftOut = window.left
      Object.assign(window, { startMs: nowMs, lines: 0, left: 0 })
    }
    if (window.lines >= LINES_PER_WINDOW) {
      window.left++
      return
    }
    window.lines++
    logger[level](leftOut > 0 ? { ...fields, leftOut } : fields, message)
  }
  return {
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
  }
}

const CLIPPED_LENGTH = 100

/** What a stranger wrote, short enough for a line of the log. */
export function clip(text: string): string {
  return text.length > CLIPPED_LENGTH ? `${text.slice(0, CLIPPED_LENGTH)}…` : text
}
