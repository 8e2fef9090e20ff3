import type { Clock } from '@pulso/model'

export interface PollerOptions {
  /** Asks once; must not throw for a box that does not answer, it reports that itself. */
  run: (signal: AbortSignal) => Promise<void>
  /** Looked up before each pause. */
  intervalMs: () => number
  /** Whether anybody is looking; nothing is asked while nobody is. */
  isVisible: () => boolean
  /** Calls back when the visibility changes; returns how to stop listening. */
  onVisibility: (listener: () => void) => () => void
  timers: Timers
}

export interface Timers extends Clock {
  set(callback: () => void, delayMs: number): unknown
  clear(timer: unknown): void
}

export interface Poller {
  start(): void
  stop(): void
  /** Asks at once (a filter changed, somebody pressed "again"); an answer under way to an older question is dropped. */
  now(): void
}

/** The browser's own timers and page visibility. */
export const pageTimers: Pick<PollerOptions, 'isVisible' | 'onVisibility' | 'timers'> = {
  isVisible: () => document.visibilityState === 'visible',
  onVisibility: (listener) => {
    document.addEventListener('visibilitychange', listener)
    return () => document.removeEventListener('visibilitychange', listener)
  },
  timers: {
    now: () => Date.now(),
    set: (callback, delayMs) => setTimeout(callback, delayMs),
    clear: (timer) => clearTimeout(timer as number),
  },
}

/**
 * Asks again and again, one question at a time: the next interval begins with the question but never before its answer.
 * Pauses while the page is hidden and asks at once when it is seen again.
 */
export function createPoller(options: PollerOptions): Poller {
  const { run, intervalMs, isVisible, onVisibility, timers } = options
  let timer: unknown = null
  let underWay: AbortController | null = null
  let stopListening: (() => void) | null = null

  const cancelTimer = () => {
    if (timer !== null) timers.clear(timer)
    timer = null
  }
  const ask = async () => {
    cancelTimer()
    underWay?.abort()
    const question = new AbortController()
    underWay = question
    const askedMs = timers.now()
    await run(question.signal)
    // Stopped, or asked anew meanwhile: the newer question keeps the rhythm.
    if (underWay !== question) return
    underWay = null
    if (!isVisible()) return
    timer = timers.set(() => void ask(), Math.max(0, intervalMs() - (timers.now() - askedMs)))
  }
  const onChange = () => {
    if (!isVisible()) cancelTimer()
    else if (!underWay && timer === null) void ask()
  }

  return {
    start() {
      if (stopListening) return
      stopListening = onVisibility(onChange)
      if (isVisible()) void ask()
    },
    stop() {
      stopListening?.()
      stopListening = null
      cancelTimer()
      underWay?.abort()
      underWay = null
    },
    now() {
      if (stopListening) void ask()
    },
  }
}
