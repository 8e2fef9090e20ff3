import { createApi, type Api, type HealthFacts } from '@pulso/api'
import { AppError, systemClock, type City, type Kinds, type OpsOverview } from '@pulso/model'
import type { JournalStatus, Registry as SensorRegistry } from '@pulso/stores'
import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'
import type { Config } from '../config/config.ts'
import { createLogger } from '../logger.ts'
import type { BrokerThreadMethods } from './broker-thread.ts'
import { createExportClient } from './export-desk.ts'
import { exportsFolder } from './files.ts'
import type { IngestThreadMethods } from './ingest-thread.ts'
import type { Sources } from './open-sources.ts'
import type { QuarantineDesk } from './quarantine-desk.ts'
import { observeThread, type Thread } from './thread.ts'
import { findWebFolder } from './web-folder.ts'

/** What the API shows of the other parts, and how it reaches them. */
export interface BoxApiOptions {
  config: Config
  city: City
  kinds: Kinds
  registry: SensorRegistry
  ingest: Thread<IngestThreadMethods>
  broker: Thread<BrokerThreadMethods>
  /** What can only be opened once the journal runs. */
  later: Promise<{
    quarantine: Pick<QuarantineDesk, 'replayQuarantine'>
    sources: Pick<Sources, 'metrics'>
  }>
}

export function createBoxApi(options: BoxApiOptions): Api {
  const { config, city, kinds, registry, ingest, broker, later } = options
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })
  observeThread('api', metrics)
  return createApi({
    ...config.http,
    limits: config.limits.http,
    city,
    kinds,
    clock: systemClock,
    logger: createLogger(config.logLevel, 'api'),
    registry,
    readings: ingest.client,
    aggregates: ingest.client,
    openData: { ...createExportClient(ingest.client), folder: exportsFolder(config.dataDir) },
    clockLimits: config.clockLimits,
    metrics,
    async metricsText() {
      const lists = await Promise.all([
        metrics.getMetricsAsJSON(),
        broker.client.metrics(),
        ingest.client.metrics(),
        later.then(({ sources }) => sources.metrics()),
      ])
      return AggregatorRegistry.aggregate(lists).metrics()
    },
    checks: [
      { name: 'mqtt', driver: 'aedes', check: () => broker.client.check() },
      {
        name: 'journal',
        driver: 'sqlite',
        check: () => ingest.client.checkJournal(),
        facts: () => readJournalFacts(ingest),
      },
      { name: 'ingest', driver: 'thread', check: () => checkIngest(ingest) },
      { name: 'readings', driver: config.readings.driver, check: () => ingest.client.check() },
      { name: 'registry', driver: registry.driver, check: () => registry.check() },
    ],
    operations: {
      overview: () => readOverview({ ingest, broker }),
      replayQuarantine: async (selection) => (await later).quarantine.replayQuarantine(selection),
    },
    webFolder: findWebFolder(),
  })
}

/** The numbers that say whether the city keeps up. */
export type Overview = Pick<OpsOverview, 'journal' | 'ingest' | 'connections'>

export async function readOverview({
  ingest,
  broker,
}: Pick<BoxApiOptions, 'ingest' | 'broker'>): Promise<Overview> {
  const [status, stats, { state, error }, connections] = await Promise.all([
    ingest.client.journalStatus(),
    ingest.client.stats(),
    ingest.client.status(),
    broker.client.connections(),
  ])
  const { depth, bytes, maxBytes, full } = status
  return {
    journal: { depth, bytes, oldestAgeMs: toAgeMs(status), maxBytes, full },
    ingest: { state, error: error?.message ?? null, ...stats },
    connections,
  }
}

async function readJournalFacts({ client }: Thread<IngestThreadMethods>): Promise<HealthFacts> {
  const status = await client.journalStatus()
  const { depth, bytes, maxBytes, full } = status
  return { depth, oldestAgeMs: toAgeMs(status), bytes, maxBytes, full: full !== null }
}

function toAgeMs({ oldestReceivedAtMs }: JournalStatus): number | null {
  return oldestReceivedAtMs === null ? null : Math.max(0, systemClock.now() - oldestReceivedAtMs)
}

/** Ingest that cannot store goes on trying, and the journal holds what waits; but the box is not ready then. */
async function checkIngest({ client }: Thread<IngestThreadMethods>): Promise<void> {
  const { state, error } = await client.status()
  if (state !== 'running')
    throw new AppError(error?.code ?? 'ingest-not-running', error?.message ?? `Ingest is ${state}`)
}
