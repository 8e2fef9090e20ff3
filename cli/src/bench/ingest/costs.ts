import { setTimeout as delay } from 'node:timers/promises'
import { withBenchFolder } from '../process.ts'
import { drain } from './kept.ts'
import { startBoxPeer, startLoad } from './peers.ts'

const RATE_PER_SECOND = 20_000
const CPU_DURATION_MS = 15_000
/** Long enough for each of 100,000 sensors to have reported once. */
const CPU_WARM_UP_MS = 7_000
const CONNECTIONS = 100

/** @returns microseconds of CPU that the box spends on a message, with so many sensors known and reporting in turn */
export async function measureCpuPerMessage(sensors: number): Promise<number> {
  return withBenchFolder(async (folder) => {
    const box = await startBoxPeer(folder, sensors)
    const load = await startLoad(box, { connections: CONNECTIONS, sensors, inFlight: 256 })
    try {
      await load.run({ warmUpMs: 0, durationMs: CPU_WARM_UP_MS, ratePerSecond: RATE_PER_SECOND })
      await drain(box)
      const before = await readCost(box)
      await load.run({ warmUpMs: 0, durationMs: CPU_DURATION_MS, ratePerSecond: RATE_PER_SECOND })
      await drain(box)
      const after = await readCost(box)
      return ((after.cpuSeconds - before.cpuSeconds) * 1e6) / (after.messages - before.messages)
    } finally {
      await load.stop()
      await box.stop()
    }
  })
}

async function readCost(box: { metrics(): Promise<ReadonlyMap<string, number>> }) {
  const metrics = await box.metrics()
  return {
    cpuSeconds: metrics.get('process_cpu_seconds_total') ?? 0,
    messages: metrics.get('pulso_messages_accepted_total{qos="1"}') ?? 0,
  }
}

const IDLE_CONNECTIONS = 10_000
/** What the first connections make the process load and allocate once is not theirs. */
const FIRST_CONNECTIONS = 500
const SETTLE_MS = 5_000

/** @returns bytes of resident memory that one more idle connection takes */
export async function measureIdleConnection(): Promise<number> {
  return withBenchFolder(async (folder) => {
    const box = await startBoxPeer(folder, 1)
    const residentBytes = async (): Promise<number> => {
      await delay(SETTLE_MS)
      return (await box.metrics()).get('process_resident_memory_bytes') ?? 0
    }
    const open = (connections: number) => startLoad(box, { connections, sensors: connections, inFlight: 1 })
    const first = await open(FIRST_CONNECTIONS)
    const before = await residentBytes()
    const others = await open(IDLE_CONNECTIONS)
    const after = await residentBytes()
    await Promise.all([first.stop(), others.stop()])
    await box.stop()
    return (after - before) / IDLE_CONNECTIONS
  })
}
