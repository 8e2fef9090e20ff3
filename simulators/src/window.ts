/** A bounded number of promises under way. */
export interface Window {
  /** Starts the work once there is room, and returns then; not when the work is done. */
  add(work: () => Promise<void>): Promise<void>
  /** Everything added is done. */
  idle(): Promise<void>
}

/**
 * @param limit how many may be under way
 * @throws from `add` and `idle`: the first error of any work, from then on
 */
export function createWindow(limit: number): Window {
  const running = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined
  const check = (): void => {
    if (failure) throw failure.error
  }
  return {
    async add(work) {
      while (running.size >= limit) await Promise.race(running)
      check()
      const run = work()
        .catch((error: unknown) => {
          failure ??= { error }
        })
        .finally(() => running.delete(run))
      running.add(run)
    },
    async idle() {
      while (running.size > 0) await Promise.all(running)
      check()
    },
  }
}

/** Waits, or returns at once when the signal is aborted. */
export function sleep(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve()
      return
    }
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, durationMs)
    signal.addEventListener('abort', done)
  })
}
