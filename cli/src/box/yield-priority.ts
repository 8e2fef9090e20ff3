import { setPriority } from 'node:os'
import type { Logger } from 'pino'

/**
 * Four fifths of the share of a thread at 0. With 10 a saturated machine took in a quarter more and stored a quarter less,
 * so that the backlog of a 10 s peak took 14 s to drain; with 3 it took 9 to 10, with 0 it takes 6 to 8.
 */
const NICENESS = 1

/**
 * Lets the threads that answer devices and people go first: ingest can be late, the journal holds what waits for it,
 * but a broker that gets no processor while a backlog drains keeps every PUBACK waiting. On Linux the priority is the
 * calling thread's and of those it starts from then on; elsewhere it is the whole process's, so it is left as it is.
 */
export function yieldPriority(logger: Logger): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, NICENESS)
  } catch (error) {
    logger.debug({ err: error }, 'the thread keeps its priority')
  }
}
