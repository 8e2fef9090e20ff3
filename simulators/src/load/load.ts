import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { toTopic, type AppError } from '@pulso/model'
import { openLane, type Lane } from './lane.ts'
import { createLatencies, type LatencySummary } from './latencies.ts'
import { createPacketRing } from './packets.ts'

export interface LoadOptions {
  host: string
  port: number
  /** Of a gateway that may publish for every id that starts with `prefix`. */
  username: string
  password: string
  prefix: string
  connections: number
  /** Spread evenly over the connections; at least one each. */
  sensors: number
  /** Messages sent and not acknowledged, at most, per connection. */
  inFlight: number
}

export interface LoadRun {
  /** Messages acknowledged in the measured time. */
  acknowledged: number
  seconds: number
  /** From the time that a message should have been sent, so that a stall is not hidden by sending later. */
  latency: LatencySummary
  /** Messages that were due and could not be sent by the end, because too many were in flight. */
  behind: number
}

export interface RunOptions {
  warmUpMs: number
  durationMs: number
  /** Messages per second in all; without it as fast as they are acknowledged. */
  ratePerSecond?: number
}

/** Many connections that publish at a given rate, or as fast as they are acknowledged. */
export interface Load {
  run(options: RunOptions): Promise<LoadRun>
  /** Messages acknowledged since the start, in all runs. */
  acknowledged(): number
  close(): void
}

/** Spaces the beat of scheduled sending; what is due in between goes out together. */
const TICK_MS = 2
const CONNECTING_AT_ONCE = 200
/** Acknowledgements that must be there before a lane sends on: a burst costs as much as a single message. */
const BURST_SHARE = 0.5
/** Whole sensors report a millisecond apart, so their times may run ahead of the clock; starting behind it leaves room. */
const HEAD_START_MS = 3_600_000

/** Opens the connections. @throws AppError `load-refused` */
export async function openLoad(options: LoadOptions): Promise<Load> {
  const { connections, inFlight } = options
  const latencies = createLatencies()
  const lanes: Lane[] = []
  let acknowledged = 0
  let isMeasuring = false
  let isFree = false
  let failure: AppError | undefined

  const burst = Math.max(1, Math.floor(inFlight * BURST_SHARE))
  const sendFreely = (lane: Lane): void => {
    const room = lane.room()
    if (!isFree || room < burst) return
    const now = performance.now()
    lane.send(room, () => now)
  }
  const open = (index: number): Promise<Lane> => {
    const topics = topicsOf(options, index)
    return openLane({
      ...options,
      clientId: `load-${index}`,
      ring: createPacketRing({ topics, metrics: LOAD_METRICS, minCount: inFlight }),
      sensors: topics.length,
      firstTimeMs: Date.now() - HEAD_START_MS,
      onAcknowledged(dueMs) {
        acknowledged++
        if (isMeasuring) latencies.add(performance.now() - dueMs)
      },
      onRoom: sendFreely,
      onFailure: (error) => (failure ??= error),
    })
  }
  for (let first = 0; first < connections; first += CONNECTING_AT_ONCE) {
    const some = Array.from(
      { length: Math.min(CONNECTING_AT_ONCE, connections - first) },
      (_, at) => first + at,
    )
    lanes.push(...(await Promise.all(some.map(open))))
  }

  const checkFailure = (): void => {
    if (failure) throw failure
  }
  /** Sends what is due until `untilMs`. @returns how many could not be sent */
  const keepRate = async (ratePerSecond: number, untilMs: number): Promise<number> => {
    const startMs = performance.now()
    const laneIntervalMs = (connections / ratePerSecond) * 1_000
    const sentBy = new Array<number>(connections).fill(0)
    let behind = 0
    while (performance.now() < untilMs) {
      const elapsedMs = performance.now() - startMs
      behind = 0
      for (const [index, lane] of lanes.entries()) {
        // Lanes take turns within an interval instead of all sending at the same moment.
        const offsetMs = (index / connections) * laneIntervalMs
        const due = Math.floor((elapsedMs - offsetMs) / laneIntervalMs) + 1
        const before = sentBy[index] ?? 0
        const count = Math.min(due - before, lane.room())
        behind += Math.max(0, due - before - count)
        if (count <= 0) continue
        lane.send(count, (at) => startMs + offsetMs + (before + at) * laneIntervalMs)
        sentBy[index] = before + count
      }
      checkFailure()
      await sleep(TICK_MS)
    }
    return behind
  }
  const goFreely = async (untilMs: number): Promise<number> => {
    isFree = true
    for (const lane of lanes) sendFreely(lane)
    await sleep(Math.max(0, untilMs - performance.now()))
    isFree = false
    return 0
  }
  const waitForAll = async (): Promise<void> => {
    while (lanes.some((lane) => lane.inFlight() > 0)) {
      checkFailure()
      await sleep(5)
    }
  }

  return {
    async run({ warmUpMs, durationMs, ratePerSecond }) {
      const startMs = performance.now()
      const endMs = startMs + warmUpMs + durationMs
      const sending = ratePerSecond === undefined ? goFreely(endMs) : keepRate(ratePerSecond, endMs)
      await sleep(warmUpMs)
      latencies.clear()
      isMeasuring = true
      const [before, fromMs] = [acknowledged, performance.now()]
      const behind = await sending
      const seconds = (performance.now() - fromMs) / 1_000
      const inTime = acknowledged - before
      checkFailure()
      // Latency counts also for those still under way: leaving them out would leave out the slowest.
      await waitForAll()
      isMeasuring = false
      return { acknowledged: inTime, seconds, latency: latencies.summary(), behind }
    },
    acknowledged: () => acknowledged,
    close() {
      for (const lane of lanes) lane.close()
    },
  }
}

const LOAD_KIND = 'parking'
const LOAD_METRICS = '"status":"occupied"'

/** The sensors of a load, as the city should know them. */
export function loadSensorIds({ prefix, sensors }: Pick<LoadOptions, 'prefix' | 'sensors'>): string[] {
  return Array.from({ length: sensors }, (_, index) => toSensorId(prefix, index))
}

/** The kind that they are of. */
export function loadKind(): string {
  return LOAD_KIND
}

function topicsOf({ prefix, sensors, connections }: LoadOptions, connection: number): string[] {
  const topics: string[] = []
  for (let sensor = connection; sensor < Math.max(sensors, connections); sensor += connections) {
    const sensorId = toSensorId(prefix, sensor)
    topics.push(toTopic({ kind: LOAD_KIND, sensorId, channel: 'telemetry' }))
  }
  return topics
}

/** All as long as each other, so that packets are too. */
function toSensorId(prefix: string, index: number): string {
  return `${prefix}${String(index).padStart(7, '0')}`
}
