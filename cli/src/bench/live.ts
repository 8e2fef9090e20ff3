import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '@pulso/model'
import { startLiveCity, type LiveCity } from './live/live-city.ts'
import { checkOpenFiles, measurePlain, startReaders, type ReadersClient } from './live/peers.ts'
import { withBenchFolder } from './process.ts'
import { printRows } from './rows.ts'
import { median, percentile } from './table.ts'

export interface LiveBenchOptions {
  readers: number
  runs: number
  /** How long CPU is counted. */
  seconds: number
  json?: true
}

const SENSORS = 2_000
const CHANGES_PER_SECOND = 200
const COALESCING_MS = 250
const PROBES = 20
/** Not a multiple of the step, so that changes come at each moment of it. */
const PROBE_EVERY_MS = 577
const SETTLE_MS = 3_000
const OPENED_PER_SECOND = 250
const FIRST_READERS = 200

const RESIDENT_BYTES = 'process_resident_memory_bytes'
const API_CPU_SECONDS = 'pulso_thread_cpu_seconds_total{thread="api"}'

interface Run {
  /** From publish to the arrival, over all readers and probes. */
  medianMs: number
  p99Ms: number
  /** Microseconds of CPU per reader and delta: the box's, and a plain socket's. */
  feedMicros: number
  plainMicros: number
  bytesPerDelta: number
  memoryKb: number
}

/**
 * `pulso bench live`: how soon a change reaches the readers of the live feed, and what a reader costs, against a process
 * that writes as many bytes as often to as many plain sockets.
 */
export async function benchLive(options: LiveBenchOptions): Promise<void> {
  checkOpenFiles(options.readers)
  const runs: Run[] = []
  for (let index = 0; index < options.runs; index++) {
    const run = await withBenchFolder((folder) => measureRun(folder, options))
    runs.push(run)
    if (!options.json) console.error(`run ${index + 1} of ${options.runs}: ${describe(run)}`)
  }
  const middle = (of: (run: Run) => number): string => median(runs.map(of)).toFixed(1)
  printRows(
    [
      {
        measure: `a change at 99 % of ${options.readers} readers ÷ ${COALESCING_MS} ms`,
        values: runs.map(({ p99Ms }) => p99Ms / COALESCING_MS),
        floor: 4,
        aim: 2,
        isCost: true,
        detail: `${middle(({ p99Ms }) => p99Ms)} ms, half of them within ${middle(({ medianMs }) => medianMs)} ms`,
      },
      {
        measure: 'CPU per reader and delta ÷ a plain socket',
        values: runs.map(({ feedMicros, plainMicros }) => feedMicros / plainMicros),
        floor: 2,
        aim: 1.2,
        isCost: true,
        detail: `${middle(({ feedMicros }) => feedMicros)} µs, plain ${middle(({ plainMicros }) => plainMicros)} µs, ${middle(({ bytesPerDelta }) => bytesPerDelta)} bytes`,
      },
      {
        measure: 'memory per reader',
        values: runs.map(({ memoryKb }) => memoryKb),
        unit: 'KB',
        isCost: true,
        detail: 'resident, of the whole box',
      },
    ],
    options.json,
  )
}

async function measureRun(folder: string, options: LiveBenchOptions): Promise<Run> {
  const city = await startLiveCity({ folder, sensors: SENSORS, changesPerSecond: CHANGES_PER_SECOND })
  try {
    await delay(SETTLE_MS)
    await warmUp(city)
    const bytesAlone = (await city.metrics()).get(RESIDENT_BYTES) ?? 0
    const paths = city.paths(options.readers)
    const readers = await startReaders({
      host: city.host,
      port: city.port,
      paths,
      openedPerSecond: OPENED_PER_SECOND,
    })
    const { arrivals, sizes, times, read } = await measureReaders(city, readers, options).finally(() =>
      readers.stop(),
    )
    // Behind it, so that the box has run as warm.
    await delay(SETTLE_MS)
    const alone = await measureCost(city, options)
    const plain = await measurePlain({ sizes, everyMs: COALESCING_MS, times })
    return {
      medianMs: percentile(arrivals, 0.5),
      p99Ms: percentile(arrivals, 0.99),
      feedMicros: ((read.cpuSeconds - alone.cpuSeconds) * 1e6) / read.deltas,
      plainMicros: (plain.cpuMs * 1_000) / plain.writes,
      bytesPerDelta: sizes.reduce((sum, size) => sum + size, 0) / sizes.length,
      memoryKb: (read.residentBytes - bytesAlone) / options.readers / 1_024,
    }
  } finally {
    await city.stop()
  }
}

/** What the first readers make the process load, compile and allocate once is not the others'. */
async function warmUp(city: LiveCity): Promise<void> {
  const paths = city.paths(FIRST_READERS)
  const readers = await startReaders({
    host: city.host,
    port: city.port,
    paths,
    openedPerSecond: OPENED_PER_SECOND,
  })
  await delay(SETTLE_MS)
  await readers.stop()
}

async function measureReaders(city: LiveCity, readers: ReadersClient, options: LiveBenchOptions) {
  await delay(SETTLE_MS)
  const arrivals = await measureArrivals(city, readers)
  const bytesBefore = await readers.bytes()
  const read = await measureCost(city, options)
  const bytes = (await readers.bytes()).map((count, index) => count - (bytesBefore[index] ?? 0))
  const times = Math.round(read.deltas / options.readers)
  if (times === 0) throw new AppError('bench-failed', 'The feed sent nothing while it was measured')
  return { arrivals, sizes: bytes.map((count) => Math.round(count / times)), times, read }
}

/** @returns ms from publish to arrival, of each probe at each reader */
async function measureArrivals(city: LiveCity, readers: ReadersClient): Promise<number[]> {
  const times: number[] = []
  for (let count = 0; count < PROBES; count++) {
    const { text, send } = city.probe()
    let sentMs = 0
    const { atMs, missing } = await readers.expect(text, () => {
      sentMs = performance.timeOrigin + performance.now()
      send()
    })
    if (missing > 0) throw new AppError('bench-failed', `A change did not reach ${missing} readers`)
    for (const arrivedMs of atMs) times.push(arrivedMs - sentMs)
    await delay(PROBE_EVERY_MS)
  }
  return times
}

/** What the API's thread spends in the same time under the same changes, with readers or without. */
async function measureCost(city: LiveCity, { seconds }: LiveBenchOptions) {
  const before = await city.metrics()
  await delay(seconds * 1_000)
  const after = await city.metrics()
  const spent = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0)
  return {
    cpuSeconds: spent(API_CPU_SECONDS),
    deltas: spent('pulso_live_deltas_total'),
    residentBytes: after.get(RESIDENT_BYTES) ?? 0,
  }
}

function describe({ p99Ms, feedMicros, plainMicros, memoryKb }: Run): string {
  return `99 % within ${p99Ms.toFixed(0)} ms, ${feedMicros.toFixed(1)} µs a delta (plain ${plainMicros.toFixed(1)}), ${memoryKb.toFixed(0)} KB a reader`
}
