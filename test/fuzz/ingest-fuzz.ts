import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { createIngest, DEFAULT_INGEST_LIMITS, loadCodecs, type Ingest } from '@pulso/ingest'
import { systemClock, type Sensor } from '@pulso/model'
import { pino } from 'pino'
import { Registry as MetricsRegistry } from 'prom-client'
import { createBatch } from '../../ingest/src/batch.ts'
import { loadMemory } from '../../ingest/src/memory.ts'
import { KINDS, openStores, type Stores } from '../../ingest/test/support/city.ts'
import { CHAOS_KINDS, LIGHTING } from '../chaos/support/kinds.ts'
import { waitFor } from '../support/wait.ts'
import {
  createPayloadCase,
  SENSORS_PER_KIND,
  type PayloadCase,
  type PayloadCasesOptions,
} from './payload-cases.ts'
import type { FuzzOptions, FuzzReport } from './report.ts'

const CLOCK_LIMITS = { pastMs: 7 * 86_400_000, futureMs: 300_000 }
const BATCH = 2_000
/** A good message after so many others: it must be stored, whatever surrounds it. */
const CANARY_EVERY = 100
const CANARY = 'canary'
const BATCH_LIMIT_MS = 60_000
/** The memory that a process takes before it is warm says nothing. */
const WARM_AFTER_CASES = 20_000

/** Malformed payloads through the real journal and ingest into real stores, batch by batch. */
export async function fuzzIngest(options: FuzzOptions): Promise<FuzzReport> {
  const folder = await mkdtemp(join(tmpdir(), 'pulso-fuzz-'))
  const startedMs = performance.now()
  const setup = await openIngest(folder)
  const { stores, ingest, faults, cases } = setup
  const report: FuzzReport = { target: 'ingest', seed: options.seed, cases: 0, elapsedMs: 0, faults: [] }
  let [sent, canaries] = [0, 0]
  const send = ({ topic, payload }: PayloadCase): Promise<void> => {
    sent++
    return stores.writer.append({ topic, payload, credential: 'fuzz' })
  }
  try {
    const judge = await createJudge(setup)
    while (options.goesOn(report.cases) && report.faults.length === 0) {
      const first = report.cases
      const batch = Array.from({ length: Math.min(BATCH, options.atMost(first)) }, (_, index) =>
        createPayloadCase(first + index, { ...cases, seed: options.seed }),
      )
      const appended = batch.flatMap((each, index) => {
        const fault = judge(each)
        if (fault !== undefined) report.faults.push(describe(first + index, each, fault))
        return index % CANARY_EVERY === 0 ? [send(each), send(toCanary(cases, ++canaries))] : [send(each)]
      })
      await Promise.all(appended)
      await waitFor(() => ingest.status().position >= sent, {
        what: 'the batch',
        timeoutMs: BATCH_LIMIT_MS,
        everyMs: 2,
      }).catch((error: unknown) => faults.push(`stuck: ${String(error)}, ${JSON.stringify(ingest.status())}`))
      report.cases += batch.length
      if (faults.length > 0) {
        report.faults.push(
          `cases ${first} to ${report.cases - 1}: ${faults.splice(0).slice(0, 5).join('\n')}`,
        )
      }
      if (report.cases >= WARM_AFTER_CASES) report.warmRssBytes ??= process.memoryUsage.rss()
      options.onProgress(report.cases)
    }
    const { points } = await stores.readings.history({
      kind: LIGHTING.id,
      sensorId: CANARY,
      metric: LIGHTING.serialMetric,
      fromMs: 0,
      toMs: Number.MAX_SAFE_INTEGER / 1_000,
      limit: canaries + 1,
    })
    if (points.length !== canaries)
      report.faults.push(`${points.length} of ${canaries} good messages are stored`)
    report.endRssBytes = process.memoryUsage.rss()
  } finally {
    await ingest.stop()
    await stores.close()
    await rm(folder, { recursive: true, force: true })
  }
  return { ...report, elapsedMs: performance.now() - startedMs }
}

interface Setup {
  stores: Stores
  ingest: Ingest
  codecs: Awaited<ReturnType<typeof loadCodecs>>
  /** What should never be said: an error, a retry. */
  faults: string[]
  cases: Omit<PayloadCasesOptions, 'seed'>
}

async function openIngest(folder: string): Promise<Setup> {
  const stores = await openStores(folder)
  const codecs = await loadCodecs(null)
  const nowMs = Date.now()
  const kinds = CHAOS_KINDS.map(({ id }) => id)
  const sensors = kinds.flatMap((kind) =>
    Array.from({ length: SENSORS_PER_KIND }, (_, index) => toSensor(`${kind}-${index}`, kind, nowMs)),
  )
  const devices = [...codecs.keys(), null].flatMap((codec, index) =>
    kinds.map((kind, each) => {
      const devEui = (BigInt(index) * 16n + BigInt(each) + 1n).toString(16).toUpperCase().padStart(16, '0')
      const sensor = toSensor(`device-${devEui}`, kind, nowMs)
      return { ...sensor, lorawan: { devEui, codec } }
    }),
  )
  await stores.registry.putSensors([...sensors, ...devices, toSensor(CANARY, LIGHTING.id, nowMs)])
  const faults: string[] = []
  const ingest = createIngest({
    journal: stores.reader,
    readings: stores.readings,
    registry: stores.registry,
    kinds: KINDS,
    codecs,
    clock: systemClock,
    clockLimits: CLOCK_LIMITS,
    // From `warn` on: ingest has nothing to complain about, only senders have.
    logger: pino({ level: 'warn' }, toLines(faults)),
    metrics: new MetricsRegistry(),
    onStates: () => undefined,
  })
  await ingest.start()
  const known = devices.map(({ id, lorawan }) => ({ sensorId: id, devEui: lorawan.devEui }))
  return { stores, ingest, codecs, faults, cases: { nowMs, devices: known } }
}

/**
 * Looks at one message alone: it must end as readings, in quarantine, as a presence, as metrics that nobody knows, or be
 * of the kind that has no effect. A message of which nothing remains was dropped in silence.
 */
async function createJudge({ stores, codecs }: Setup): Promise<(message: PayloadCase) => string | undefined> {
  const memory = await loadMemory(stores.registry)
  const context = { kinds: KINDS, codecs, memory, clockLimits: CLOCK_LIMITS, limits: DEFAULT_INGEST_LIMITS }
  return (each) => {
    const { topic, payload } = each
    let fault: string | undefined
    const message = { topic, payload, credential: 'fuzz', position: 1, receivedAtMs: Date.now() }
    const batch = createBatch([message], context, (error) => (fault = `it failed: ${String(error)}`))
    if (fault !== undefined) return fault
    const { identities, quarantine, states, unknownMetrics, withoutMetric } = batch
    const effects = identities.count() + quarantine.length + states.length + unknownMetrics + withoutMetric
    if (effects > 0 || topic.endsWith('/command/result') || saysNothing(each)) return undefined
    return 'nothing remains of it'
  }
}

/** JSON without a single value: `{}`, `[]`, `{"time":…}` or nulls alone; a SenML pack of base fields alone. */
function saysNothing({ topic, payload }: PayloadCase): boolean {
  const isSilent = topic.endsWith('/senml')
    ? (name: string) => !/^(v|vs|vb|vd|s|\d+)$/.test(name)
    : (name: string) => name === 'time' || name === 'ts'
  const isEmpty = (value: unknown): boolean => {
    if (value === null) return true
    if (typeof value !== 'object') return false
    // ThingsBoard's envelope: what stands beside the values is no measurement.
    if (topic.startsWith('v1/') && 'values' in value && typeof value.values === 'object')
      return isEmpty(value.values)
    return Object.entries(value).every(([name, item]) => isSilent(name) || isEmpty(item))
  }
  try {
    return isEmpty(JSON.parse(payload.toString().replace(/^\uFEFF/, '')))
  } catch {
    return false
  }
}

function toCanary({ nowMs }: Setup['cases'], serial: number): PayloadCase {
  const time = nowMs - 3_600_000 + serial
  const payload = Buffer.from(JSON.stringify({ time, [LIGHTING.serialMetric]: serial }))
  return { topic: `pulso/${LIGHTING.id}/${CANARY}/telemetry`, payload }
}

function toSensor(id: string, kind: string, createdAtMs: number): Sensor {
  return { id, kind, name: null, position: null, attributes: {}, createdAtMs }
}

function describe(index: number, { topic, payload }: PayloadCase, fault: string): string {
  return `case ${index}, topic ${JSON.stringify(topic)}, payload ${payload.toString('hex')}: ${fault}`
}

function toLines(lines: string[]): Writable {
  return new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(chunk.toString().slice(0, 2_000))
      done()
    },
  })
}
