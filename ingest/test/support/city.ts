import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { systemClock, toKinds, type MetricValue, type Sensor, type SensorState } from '@pulso/model'
import carpark from '@pulso/model/kinds/carpark'
import environment from '@pulso/model/kinds/environment'
import lighting from '@pulso/model/kinds/lighting'
import parking from '@pulso/model/kinds/parking'
import {
  createSqliteJournal,
  createSqliteJournalReader,
  createSqliteJournalWriter,
  openSqliteRegistry,
  type JournalReader,
  type JournalWriter,
  type Readings,
  type Registry,
  type StoredQuarantineEntry,
} from '@pulso/stores'
import { openDuckdbReadings } from '@pulso/stores/readings'
import { pino } from 'pino'
import { Registry as MetricsRegistry } from 'prom-client'
import { waitFor } from '../../../test/support/wait.ts'
import { createIngest, loadCodecs, type Ingest, type IngestOptions } from '../../src/index.ts'

export const KINDS = toKinds([parking, carpark, lighting, environment])

export interface Stores {
  writer: JournalWriter
  reader: JournalReader
  readings: Readings
  registry: Registry
  close(): Promise<void>
}

/** The embedded stores in a folder of the test's own. */
export async function openStores(folder: string): Promise<Stores> {
  const registry = await openSqliteRegistry({ file: join(folder, 'registry.db') })
  const readings = await openDuckdbReadings({ file: join(folder, 'readings.duckdb'), kinds: KINDS })
  const file = join(folder, 'journal.db')
  const journal = createSqliteJournal({ file })
  await journal.start()
  const writer = createSqliteJournalWriter({ port: journal.writerPort() })
  const reader = createSqliteJournalReader({ port: journal.readerPort(), file })
  return {
    writer,
    reader,
    readings,
    registry,
    async close() {
      await writer.close()
      await reader.close()
      await journal.stop()
      await readings.close()
      await registry.close()
    },
  }
}

export async function createFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pulso-ingest-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export interface City extends Stores {
  ingest: Ingest
  metrics: MetricsRegistry
  /** What listeners were told, in order. */
  told: { states: SensorState[]; sensors: Sensor[] }
  /** Appends a message as the broker would; objects become JSON. */
  send(topic: string, payload: unknown, credential?: string): Promise<void>
  /** Waits until ingest has committed everything that was sent. */
  settled(): Promise<void>
  /** Sends and waits. */
  put(topic: string, payload: unknown): Promise<void>
  points(kind: string, sensorId: string, metric: string): Promise<[number, MetricValue][]>
  state(sensorId: string): Promise<SensorState | undefined>
  quarantine(): Promise<StoredQuarantineEntry[]>
  count(metric: string): Promise<number>
}

export interface CityOptions extends Partial<IngestOptions> {
  folder?: string
  /** Puts something in front of a store. */
  wrap?: (stores: Stores) => Partial<Pick<Stores, 'reader' | 'readings' | 'registry'>>
}

/** Ingest on real embedded stores, stopped and closed with the test. */
export async function startCity(context: TestContext, options: CityOptions = {}): Promise<City> {
  const { folder = await createFolder(context), wrap, ...ingestOptions } = options
  const stores = await openStores(folder)
  const metrics = new MetricsRegistry()
  const told: City['told'] = { states: [], sensors: [] }
  const seen = {
    reader: stores.reader,
    readings: stores.readings,
    registry: stores.registry,
    ...wrap?.(stores),
  }
  const ingest = createIngest({
    journal: seen.reader,
    readings: seen.readings,
    registry: seen.registry,
    kinds: KINDS,
    codecs: await loadCodecs(null),
    clock: systemClock,
    clockLimits: { pastMs: 7 * 86_400_000, futureMs: 300_000 },
    logger: pino({ level: 'silent' }),
    metrics,
    onStates: (states) => void told.states.push(...states),
    onSensors: (sensors) => void told.sensors.push(...sensors),
    random: () => 0,
    ...ingestOptions,
  })
  await ingest.start()
  let sent = ingest.status().position
  let isClosed = false
  const close = async (): Promise<void> => {
    if (isClosed) return
    isClosed = true
    await ingest.stop()
    await stores.close()
  }
  context.after(close)

  const send: City['send'] = async (topic, payload, credential = 'tester') => {
    await stores.writer.append({ topic, payload: toPayload(payload), credential })
    sent++
  }
  const settled = async (): Promise<void> => {
    await waitFor(() => ingest.status().position >= sent, { what: 'ingest to come to the end', everyMs: 5 })
  }
  return {
    ...stores,
    close,
    ingest,
    metrics,
    told,
    send,
    settled,
    async put(topic, payload) {
      await send(topic, payload)
      await settled()
    },
    async points(kind, sensorId, metric) {
      const query = { kind, sensorId, metric, fromMs: 0, toMs: Date.UTC(2100, 0, 1), limit: 10_000 }
      const { points } = await stores.readings.history(query)
      return points.map(({ timeMs, value }) => [timeMs, value])
    },
    state: async (sensorId) =>
      (await stores.registry.listStates()).find((state) => state.sensorId === sensorId),
    quarantine: async () => (await stores.registry.listQuarantine({ limit: 1_000 })).reverse(),
    async count(metric) {
      const text = await metrics.metrics()
      const line = text.split('\n').find((each) => each.startsWith(`${metric} `))
      return Number(line?.split(' ').at(-1) ?? 0)
    },
  }
}

function toPayload(payload: unknown): Uint8Array {
  if (payload instanceof Uint8Array) return payload
  return Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
}
