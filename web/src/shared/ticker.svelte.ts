import { createContext } from 'svelte'

export interface Ticker {
  /** Now by the server's clock, in ms since 1970; moves once a second. */
  readonly nowMs: number
  /** Tells the server's time, so that ages are right on a device whose clock is wrong. */
  sync(serverTimeMs: number): void
  stop(): void
}

/** Below this difference the device's clock counts as right: the answer's own travel is in it too. */
const TOLERANCE_MS = 1_500

/** One timer for every age on the page. */
export function createTicker(intervalMs = 1_000): Ticker {
  let offsetMs = 0
  let nowMs = $state(Date.now())
  const tick = (): void => {
    nowMs = Date.now() + offsetMs
  }
  const timer = setInterval(tick, intervalMs)
  return {
    get nowMs() {
      return nowMs
    },
    sync(serverTimeMs) {
      const differenceMs = serverTimeMs - Date.now()
      offsetMs = Math.abs(differenceMs) < TOLERANCE_MS ? 0 : differenceMs
      tick()
    },
    stop: () => clearInterval(timer),
  }
}

export const [getTicker, setTicker] = createContext<Ticker>()
