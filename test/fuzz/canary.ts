import { connectAsync } from 'mqtt'
import { LIGHTING } from '../chaos/support/kinds.ts'

/** A device that does everything right, and notices when it is no longer served. */
export interface Canary {
  sensorId: string
  metric: string
  fromMs: number
  /** Sends a reading and waits for its acknowledgement. */
  sing(): Promise<void>
  /** The values that were acknowledged, in order. */
  acknowledged(): readonly number[]
  close(): void
}

const LIMIT_MS = 15_000

export async function createCanary(options: {
  port: number
  username: string
  password: string
}): Promise<Canary> {
  const { port, username, password } = options
  const sensorId = 'fuzz-canary'
  const fromMs = Date.now() - 3_600_000
  const acknowledged: number[] = []
  // It comes back by itself, as a device would.
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { username, password, reconnectPeriod: 100 })
  let songs = 0
  return {
    sensorId,
    metric: LIGHTING.serialMetric,
    fromMs,
    async sing() {
      const value = ++songs
      const payload = JSON.stringify({ time: fromMs + value, [LIGHTING.serialMetric]: value })
      const published = client.publishAsync(`pulso/${LIGHTING.id}/${sensorId}/telemetry`, payload, { qos: 1 })
      const limit = AbortSignal.timeout(LIMIT_MS)
      await Promise.race([published, rejectAt(limit)])
      acknowledged.push(value)
    },
    acknowledged: () => acknowledged,
    close: () => void client.end(true),
  }
}

function rejectAt(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`no PUBACK within ${LIMIT_MS} ms`)), {
      once: true,
    })
  })
}
