import { constants, setPriority } from 'node:os'
import type { Logger } from 'pino'

/**
 * Lets the threads that answer devices and people go first: ingest can be late, the journal holds what waits for it,
 * but a broker that gets no processor while a backlog drains keeps every PUBACK waiting. On Linux the priority is the
 * calling thread's and of those it starts from then on; elsewhere it is the whole process's, so it is left as it is.
 */
export function yieldPriority(logger: Logger): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch (error) {
    logger.debug({ err: error }, 'the thread keeps its priority')
  }
}
