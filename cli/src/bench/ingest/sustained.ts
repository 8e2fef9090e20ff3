import { setTimeout as delay } from 'node:timers/promises'
import { withBenchFolder } from '../process.ts'
import { drain } from './kept.ts'
import { startBoxPeer, startLoad } from './peers.ts'

export interface Sustained {
  perSecond: number
  /** Journal depth, once a second. */
  depths: number[]
  /** From the time that a message should have been sent to its PUBACK. */
  latency: { medianMs: number; p99Ms: number; maxMs: number }
  isSustained: boolean
}

export interface SustainedOptions {
  connections: number
  ratePerSecond: number
  durationMs: number
}

/** A city has this long to store what it took in: with more in the journal, the map is no longer live. */
const LIVE_SECONDS = 1
const LOOK_EVERY_MS = 1_000
const WARM_UP_MS = 3_000

/**
 * Sends at a fixed rate and looks at the journal meanwhile. The rate is sustained when every message that was due was
 * sent and acknowledged, and the second half's journal is no deeper than the first half's, or holds less than a second.
 */
export async function measureSustained(options: SustainedOptions): Promise<Sustained> {
  const { connections, ratePerSecond, durationMs } = options
  return withBenchFolder(async (folder) => {
    const box = await startBoxPeer(folder, connections)
    const load = await startLoad(box, { connections, sensors: connections, inFlight: 256 })
    try {
      const running = load.run({ warmUpMs: WARM_UP_MS, durationMs, ratePerSecond })
      await delay(WARM_UP_MS)
      const depths: number[] = []
      for (let at = 0; at < durationMs; at += LOOK_EVERY_MS) {
        await delay(LOOK_EVERY_MS)
        depths.push((await box.metrics()).get('pulso_journal_depth') ?? 0)
      }
      const { acknowledged, seconds, latency, behind } = await running
      await drain(box)
      const perSecond = acknowledged / seconds
      const isKeptUp = behind < ratePerSecond * LIVE_SECONDS && perSecond > ratePerSecond * 0.98
      return { perSecond, depths, latency, isSustained: isKeptUp && !isGrowing(depths, ratePerSecond) }
    } finally {
      await load.stop()
      await box.stop()
    }
  })
}

function isGrowing(depths: readonly number[], ratePerSecond: number): boolean {
  const half = Math.floor(depths.length / 2)
  const [first, second] = [Math.max(...depths.slice(0, half)), Math.max(...depths.slice(half))]
  return second > Math.max(first, ratePerSecond * LIVE_SECONDS)
}
