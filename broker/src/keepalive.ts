import { performance } from 'node:perf_hooks'
import { SECOND_MS } from '@pulso/model'
import type { Connection, Connections } from './connections.ts'

export interface KeepaliveOptions {
  connections: Connections
  everyMs?: number
  nowMs?: () => number
}

export interface Keepalive {
  start(): void
  stop(): void
}

/** MQTT 3.1.1, 3.13. */
const PINGRESP = Buffer.of(0xd0, 0)
/** The text by which the end of a silent connection is known, as it is in Aedes. */
const SILENT = 'keep alive timeout'
const LOOK_EVERY_MS = SECOND_MS

/**
 * Ends connections that have been silent for one and a half of their keep-alive (MQTT 3.1.1, 3.1.2.10). Not Aedes' own
 * timers, because only we know who is silent and who is not being read: a full journal may hold senders back for an
 * hour, and what they say meanwhile, pings too, stays unread. Those are not ended, and they are sent the answer to the
 * ping that waits; or else they would take the broker for dead, come back, and send everything a second time. Whoever
 * has left without being heard is found by that too, because the system answers for him that nobody is there.
 */
export function createKeepalive({
  connections,
  everyMs = LOOK_EVERY_MS,
  nowMs = () => performance.now(),
}: KeepaliveOptions): Keepalive {
  let timer: NodeJS.Timeout | undefined

  const look = (connection: Connection, now: number): void => {
    const { guard, stream, keepaliveMs, heardAtMs } = connection
    if (keepaliveMs === 0) return
    const silentMs = now - heardAtMs
    if (guard.takeHeard()) connection.heardAtMs = now
    else if (guard.isHeld() || connection.inFlightBytes > 0) {
      if (silentMs < keepaliveMs / 2) return
      connection.heardAtMs = now
      // One that does not read has its answers waiting.
      if (stream.writableLength === 0) stream.write(PINGRESP)
    } else if (silentMs > keepaliveMs * 1.5) stream.destroy(new Error(SILENT))
  }

  return {
    start() {
      timer = setInterval(() => {
        const now = nowMs()
        for (const connection of connections) look(connection, now)
      }, everyMs)
    },
    stop: () => clearInterval(timer),
  }
}
