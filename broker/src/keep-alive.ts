import { SECOND_MS, type Clock } from '@pulso/model'
import type { Connection, Connections } from './connections.ts'

export interface KeepAliveOptions {
  connections: Connections
  clock: Clock
  onSilent: (connection: Connection) => void
}

export interface KeepAlive {
  start(): void
  stop(): void
}

const LOOK_EVERY_MS = SECOND_MS
/** MQTT 3.1.1, 3.1.2.10. */
const PATIENCE = 1.5

/**
 * Ends connections of clients that have said nothing for one and a half of their keep-alive time. One look at all of
 * them a second costs less than a timer for each that is set anew with every packet.
 */
export function createKeepAlive({ connections, clock, onSilent }: KeepAliveOptions): KeepAlive {
  let timer: NodeJS.Timeout | undefined

  const look = (): void => {
    const nowMs = clock.now()
    for (const connection of connections) {
      if (!connection.session) continue
      const reads = connection.guard.reads()
      const silentMs = nowMs - connection.heardMs
      // A clock that was set back begins anew; whom we do not read we cannot hear.
      if (reads !== connection.heardReads || silentMs < 0 || connection.guard.isHolding()) {
        connection.heardReads = reads
        connection.heardMs = nowMs
      } else if (silentMs > connection.keepaliveMs * PATIENCE) {
        onSilent(connection)
      }
    }
  }

  return {
    start() {
      timer ??= setInterval(look, LOOK_EVERY_MS)
    },
    stop() {
      clearInterval(timer)
      timer = undefined
    },
  }
}
