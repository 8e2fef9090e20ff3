import { performance } from 'node:perf_hooks'

export interface Beat {
  start(): void
  stop(): void
}

/**
 * Does something again and again, at most every `everyMs`. When it takes longer than half of that, it leaves as much time
 * to others as it took: with more readers than the machine can serve, deltas come less often and nothing else stops.
 */
export function createBeat({ everyMs, action }: { everyMs: number; action: () => void }): Beat {
  let timer: NodeJS.Timeout | undefined
  const beat = (): void => {
    const startMs = performance.now()
    action()
    const tookMs = performance.now() - startMs
    timer = setTimeout(beat, Math.max(everyMs - tookMs, tookMs))
  }
  return {
    start() {
      timer ??= setTimeout(beat, everyMs)
    },
    stop() {
      clearTimeout(timer)
      timer = undefined
    },
  }
}
