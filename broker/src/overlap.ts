import type { Clock } from '@pulso/model'
import type { Connection } from './connections.ts'

/** The longest that a timer takes. */
const MAX_TIMER_MS = 2_147_483_647

/** Ends a connection when the secret that it came in with stops to count, by the clock. */
export function endWithOverlap(
  connection: Connection,
  { untilMs, clock, onEnd }: { untilMs: number; clock: Clock; onEnd: () => void },
): void {
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    const leftMs = untilMs - clock.now()
    if (leftMs <= 0) onEnd()
    else timer = setTimeout(look, Math.min(leftMs, MAX_TIMER_MS))
  }
  connection.stream.once('close', () => clearTimeout(timer))
  look()
}
