import { AppError, MINUTE_MS, SECOND_MS, type Clock } from '@pulso/model'

/** Addresses whose tries are remembered; beyond it the oldest is forgotten, the bound over all still holds. */
const MAX_ADDRESSES = 10_000

export interface LoginThrottle {
  /**
   * Counts a try before it is made, so that many at once count too.
   * @throws LoginThrottledError (429)
   */
  countTry(address: string): void
  /** The right password was given: its address starts anew. */
  forgive(address: string): void
}

interface Window {
  startMs: number
  tries: number
}

/** `too-many-logins`, and when to come back. */
export class LoginThrottledError extends AppError {
  readonly retryAfterSeconds: number

  constructor(waitMs: number) {
    super('too-many-logins', 'Too many tries to log in; please wait a minute', { status: 429 })
    this.retryAfterSeconds = Math.max(1, Math.ceil(waitMs / SECOND_MS))
  }
}

export function createLoginThrottle({
  clock,
  perAddress,
  overall,
}: {
  clock: Clock
  perAddress: number
  overall: number
}): LoginThrottle {
  const windows = new Map<string, Window>()
  let all: Window = { startMs: -Infinity, tries: 0 }

  const current = (window: Window | undefined, nowMs: number): Window =>
    window && nowMs - window.startMs < MINUTE_MS ? window : { startMs: nowMs, tries: 0 }

  const refuse = (window: Window, nowMs: number): never => {
    throw new LoginThrottledError(window.startMs + MINUTE_MS - nowMs)
  }

  return {
    countTry(address) {
      const nowMs = clock.now()
      const window = current(windows.get(address), nowMs)
      if (window.tries >= perAddress) refuse(window, nowMs)
      all = current(all, nowMs)
      if (all.tries >= overall) refuse(all, nowMs)
      window.tries += 1
      all.tries += 1
      windows.delete(address)
      windows.set(address, window)
      const [oldest] = windows.keys()
      if (windows.size > MAX_ADDRESSES && oldest !== undefined) windows.delete(oldest)
    },
    forgive: (address) => void windows.delete(address),
  }
}
