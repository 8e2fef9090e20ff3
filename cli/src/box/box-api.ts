import { createApi, type Api } from '@pulso/api'
import { AppError, systemClock, type City, type Kinds, type OpsOverview } from '@pulso/model'
import type { Registry as SensorRegistry } from '@pulso/stores'
import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'
import type { Config } from '../config/config.ts'
import { createLogger } from '../logger.ts'
import type { BrokerThreadMethods } from './broker-thread.ts'
import type { IngestThreadMethods } from './ingest-thread.ts'
import { observeEventLoop, type Thread } from './thread.ts'
import { findWebFolder } from './web-folder.ts'

/** What the API shows of the other parts, and how it reaches them. */
export interface BoxApiOptions {
  config: Config
  city: City
  kinds: Kinds
  registry: SensorRegistry
  ingest: Thread<IngestThreadMethods>
  broker: Thread<BrokerThreadMethods>
}

export function createBoxApi({ config, city, kinds, registry, ingest, broker }: BoxApiOptions): Api {
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })
  observeEventLoop('api', metrics)
  return createApi({
    ...config.http,
    city,
    kinds,
    clock: systemClock,
    logger: createLogger(config.logLevel, 'api'),
    registry,
    readings: ingest.client,
    clockLimits: config.clockLimits,
    metrics,
    async metricsText() {
      const lists = await Promise.all([
        metrics.getMetricsAsJSON(),
        broker.client.metrics(),
        ingest.client.metrics(),
      ])
      return AggregatorRegistry.aggregate(lists).metrics()
    },
    checks: [
      { name: 'mqtt', driver: 'aedes', check: () => broker.client.check() },
      { name: 'journal', driver: 'sqlite', check: () => ingest.client.checkJournal() },
      { name: 'ingest', driver: 'thread', check: () => checkIngest(ingest) },
      { name: 'readings', driver: config.readings.driver, check: () => ingest.client.check() },
      { name: 'registry', driver: registry.driver, check: () => registry.check() },
    ],
    operations: { overview: () => readOverview({ ingest, broker }) },
    webFolder: findWebFolder(),
  })
}

/** The numbers that say whether the city keeps up. */
export type Overview = Pick<OpsOverview, 'journal' | 'ingest' | 'connections'>

export async function readOverview({
  ingest,
  broker,
}: Pick<BoxApiOptions, 'ingest' | 'broker'>): Promise<Overview> {
  const [{ depth, bytes, oldestReceivedAtMs }, stats, connections] = await Promise.all([
    ingest.client.journalStatus(),
    ingest.client.stats(),
    broker.client.connections(),
  ])
  const oldestAgeMs = oldestReceivedAtMs === null ? null : Math.max(0, systemClock.now() - oldestReceivedAtMs)
  return { journal: { depth, bytes, oldestAgeMs }, ingest: stats, connections }
}

/** Ingest that cannot store goes on trying, and the journal holds what waits; but the box is not ready then. */
async function checkIngest({ client }: Thread<IngestThreadMethods>): Promise<void> {
  const { state, error } = await client.status()
  if (state !== 'running')
    throw new AppError(error?.code ?? 'ingest-not-running', error?.message ?? `Ingest is ${state}`)
}
