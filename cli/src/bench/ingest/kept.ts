import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '@pulso/model'
import type { LatencySummary } from '@pulso/simulators'
import { withBenchFolder } from '../process.ts'
import { startBoxPeer, startLoad, startRawAedes, type BoxPeer, type Peer } from './peers.ts'

export interface Shape {
  connections: number
  sensors: number
}

export interface Throughput {
  perSecond: number
  latency: LatencySummary
}

export interface KeptThroughput extends Throughput {
  /** Messages in the journal when the load ended, and how long until there were none. */
  depth: number
  drainMs: number
}

export interface Timing {
  warmUpMs: number
  durationMs: number
  /** In all; without it as fast as they are acknowledged. */
  ratePerSecond?: number
}

/**
 * Enough to keep a broker busy from every connection. More does not make Aedes faster: what waits in its sockets only
 * waits longer.
 */
const IN_FLIGHT = 16
const LOOK_EVERY_MS = 50
const DRAIN_LIMIT_MS = 120_000

/** Messages that Aedes as it comes acknowledges. */
export async function measureRaw(shape: Shape, timing: Timing): Promise<Throughput> {
  const peer = await startRawAedes()
  try {
    return await runLoad(peer, shape, timing)
  } finally {
    await peer.stop()
  }
}

/**
 * Messages that a box acknowledges, ingest running beside it; then waits until all of them are stored.
 * @throws AppError `bench-failed` when what is stored is not what was acknowledged
 */
export async function measureKept(shape: Shape, timing: Timing): Promise<KeptThroughput> {
  return withBenchFolder(async (folder) => {
    const box = await startBoxPeer(folder, shape.sensors)
    try {
      const run = await runLoad(box, shape, timing)
      const depth = (await box.metrics()).get('pulso_journal_depth') ?? 0
      const drainMs = await drain(box)
      await checkStored(box)
      return { ...run, depth, drainMs }
    } finally {
      await box.stop()
    }
  })
}

async function runLoad(peer: Peer, { connections, sensors }: Shape, timing: Timing): Promise<Throughput> {
  const load = await startLoad(peer, { connections, sensors, inFlight: IN_FLIGHT })
  try {
    const { acknowledged, seconds, latency } = await load.run(timing)
    return { perSecond: acknowledged / seconds, latency }
  } finally {
    await load.stop()
  }
}

/** @returns how long it took until everything in the journal was stored */
export async function drain(box: BoxPeer): Promise<number> {
  const startedAt = performance.now()
  while (((await box.metrics()).get('pulso_journal_depth') ?? 0) > 0) {
    if (performance.now() - startedAt > DRAIN_LIMIT_MS)
      throw new AppError('bench-failed', `The journal was not drained within ${DRAIN_LIMIT_MS} ms`)
    await delay(LOOK_EVERY_MS)
  }
  return performance.now() - startedAt
}

/** Every message is a reading of its own, so as many must be stored as were kept: none lost and none stored twice. */
async function checkStored(box: BoxPeer): Promise<void> {
  const metrics = await box.metrics()
  const accepted = metrics.get('pulso_messages_accepted_total{qos="1"}')
  const stored = metrics.get('pulso_readings_stored_total')
  if (accepted !== stored)
    throw new AppError(
      'bench-failed',
      `${accepted ?? 0} messages were acknowledged and ${stored ?? 0} stored`,
    )
}
