import type { MessagePort } from 'node:worker_threads'
import { MessageChannel } from 'node:worker_threads'
import { createApi } from '@pulso/api'
import {
  type AppError,
  systemClock,
  type City,
  type Kinds,
  type OpsOverview,
  type SensorState,
} from '@pulso/model'
import { createSqliteJournal, openSqliteRegistry, type Registry as SensorRegistry } from '@pulso/stores'
import type { Logger } from 'pino'
import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'
import { createAdministration, type Administration } from '../administration.ts'
import type { Config } from '../config/config.ts'
import { serveControl } from '../control.ts'
import type { BrokerThreadData, BrokerThreadMethods } from './broker-thread.ts'
import { journalFile, registryFile } from './files.ts'
import type { IngestThreadData, IngestThreadMethods } from './ingest-thread.ts'
import { lockFolder } from './lock.ts'
import { observeEventLoop, spawnThread, type Thread } from './thread.ts'
import { findWebFolder } from './web-folder.ts'

export interface BoxOptions {
  config: Config
  city: City
  kinds: Kinds
  logger: Logger
  /** A part failed for good while the box ran. */
  onFailure(error: AppError): void
}

/** The numbers that say whether the city keeps up. */
export type Overview = Pick<OpsOverview, 'journal' | 'ingest' | 'connections'>

export interface BoxStatus extends Overview {
  http: string
  mqtt: { host: string; port: number }
}

/** What commands can ask of the running box. */
export interface RunningBoxMethods extends Administration {
  status(): Promise<BoxStatus>
}

/** The whole platform in one process, running. */
export interface Box {
  httpUrl: string
  mqtt: { host: string; port: number }
  administration: Administration
  /** Stops the parts from the front door inwards, so that what was acknowledged is on disk. */
  stop(): Promise<void>
}

/**
 * Starts every part; when one cannot start, those before it are stopped again and its error is thrown.
 * @throws AppError `data-folder-in-use`, `port-in-use`, `readings-…`
 */
export async function startBox(options: BoxOptions): Promise<Box> {
  await using parts = new AsyncDisposableStack()
  const { config, city, kinds, logger } = options

  const lock = lockFolder(config.dataDir)
  parts.defer(() => lock.release())
  const registry = await openSqliteRegistry({
    file: registryFile(config.dataDir),
    quarantineMaxEntries: config.limits.quarantineEntries,
  })
  parts.defer(() => registry.close())
  const journal = createSqliteJournal({ file: journalFile(config.dataDir) })
  await journal.start()
  parts.defer(() => journal.stop())

  const states = new MessageChannel()
  const ingest = await startIngest(parts, options, {
    journalPort: journal.readerPort(),
    statesPort: states.port2,
  })
  const broker = spawnBroker(parts, options, journal.writerPort())

  const api = createBoxApi({ ...options, registry, ingest, broker })
  states.port1.on('message', (list: SensorState[]) => api.applyStates(list))
  parts.defer(() => states.port1.close())
  const http = await api.start()
  parts.defer(() => api.stop())
  const mqttAddress = { host: config.mqtt.host, port: (await broker.client.start()).port }
  parts.defer(() => broker.client.stop())

  const administration = createAdministration({ registry, kinds, clock: systemClock })
  const methods: RunningBoxMethods = {
    ...administration,
    status: async () => ({
      http: http.address,
      mqtt: mqttAddress,
      ...(await readOverview({ ingest, broker })),
    }),
  }
  const control = await serveControl(config.dataDir, methods)
  parts.defer(() => control.stop())

  logger.info(
    { city: city.name, http: http.address, mqtt: mqttAddress, readings: config.readings.driver },
    'the box runs',
  )
  const running = parts.move()
  return {
    httpUrl: http.address,
    mqtt: mqttAddress,
    administration,
    stop: () => running.disposeAsync(),
  }
}

async function startIngest(
  parts: AsyncDisposableStack,
  { config, onFailure }: BoxOptions,
  ports: { journalPort: MessagePort; statesPort: MessagePort },
): Promise<Thread<IngestThreadMethods>> {
  const thread = spawnThread<IngestThreadMethods, IngestThreadData>({
    file: new URL('./ingest-thread.ts', import.meta.url),
    data: { config, ...ports },
    transferList: [ports.journalPort, ports.statesPort],
    onFailure,
  })
  parts.defer(() => thread.end())
  await thread.client.start()
  parts.defer(() => thread.client.stop())
  return thread
}

function spawnBroker(
  parts: AsyncDisposableStack,
  { config, onFailure }: BoxOptions,
  journalPort: MessagePort,
): Thread<BrokerThreadMethods> {
  const thread = spawnThread<BrokerThreadMethods, BrokerThreadData>({
    file: new URL('./broker-thread.ts', import.meta.url),
    data: { config, journalPort },
    transferList: [journalPort],
    onFailure,
  })
  parts.defer(() => thread.end())
  return thread
}

interface ApiParts extends BoxOptions {
  registry: SensorRegistry
  ingest: Thread<IngestThreadMethods>
  broker: Thread<BrokerThreadMethods>
}

function createBoxApi({ config, city, kinds, logger, registry, ingest, broker }: ApiParts) {
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })
  observeEventLoop('api', metrics)
  return createApi({
    ...config.http,
    city,
    kinds,
    clock: systemClock,
    logger: logger.child({ part: 'api' }),
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
      {
        name: 'mqtt',
        driver: 'aedes',
        check: async () => {
          await broker.client.connections()
        },
      },
      {
        name: 'journal',
        driver: 'sqlite',
        check: async () => {
          await ingest.client.journalStatus()
        },
      },
      { name: 'readings', driver: config.readings.driver, check: () => ingest.client.check() },
      { name: 'registry', driver: registry.driver, check: () => registry.check() },
    ],
    operations: { overview: () => readOverview({ ingest, broker }) },
    webFolder: findWebFolder(),
  })
}

async function readOverview({ ingest, broker }: Pick<ApiParts, 'ingest' | 'broker'>): Promise<Overview> {
  const [{ depth, bytes, oldestReceivedAtMs }, stats, connections] = await Promise.all([
    ingest.client.journalStatus(),
    ingest.client.stats(),
    broker.client.connections(),
  ])
  const oldestAgeMs = oldestReceivedAtMs === null ? null : Math.max(0, systemClock.now() - oldestReceivedAtMs)
  return { journal: { depth, bytes, oldestAgeMs }, ingest: stats, connections }
}
