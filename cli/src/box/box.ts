import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { SourceStatus } from '@pulso/ingest'
import { type AppError, systemClock, type City, type Kinds, type SensorState } from '@pulso/model'
import { createSqliteJournal, openSqliteRegistry, type CopiedStores } from '@pulso/stores'
import type { Logger } from 'pino'
import { createAdministration, type Administration } from '../administration.ts'
import { finishRestore } from '../backup/install.ts'
import type { Config } from '../config/config.ts'
import { loadCodecNames } from '../config/load.ts'
import { loadSources } from '../config/sources.ts'
import { serveControl } from '../control.ts'
import type { BrokerThreadData, BrokerThreadMethods } from './broker-thread.ts'
import { checkStores } from './check-stores.ts'
import type { BoxApiOptions, Overview } from './box-api.ts'
import { journalFile, registryFile } from './files.ts'
import type { IngestThreadData, IngestThreadMethods } from './ingest-thread.ts'
import { lockFolder } from './lock.ts'
import { openSources } from './open-sources.ts'
import type { QuarantineDesk } from './quarantine-desk.ts'
import type { RebuildDesk } from './rebuild-desk.ts'
import type { MqttAddress } from './start-report.ts'
import { spawnThread, type Thread } from './thread.ts'

export interface BoxOptions {
  config: Config
  city: City
  kinds: Kinds
  logger: Logger
  /** Start although the registry is lost. */
  acceptLoss?: boolean
  /** A part failed for good while the box ran. */
  onFailure(error: AppError): void
}

export interface BoxStatus extends Overview {
  http: string
  mqtt: MqttAddress
  /** The external brokers. */
  sources: SourceStatus[]
  rollups: Awaited<ReturnType<IngestThreadMethods['rollupStatus']>>
}

/** What commands can ask of the running box. */
export interface RunningBoxMethods extends Administration, QuarantineDesk, RebuildDesk {
  status(): Promise<BoxStatus>
  /** Copies the stores as they are together into a folder that is there; `pulso backup` does the rest. */
  copyStores(folder: string): Promise<CopiedStores>
}

/** The whole platform in one process, running. */
export interface Box {
  httpUrl: string
  mqtt: MqttAddress
  administration: Administration
  /** Stops the parts from the front door inwards, so that what was acknowledged is on disk. */
  stop(): Promise<void>
}

/**
 * Starts every part; when one cannot start, those before it are stopped again and its error is thrown.
 * @throws AppError `data-folder-in-use`, `registry-missing`, `port-in-use`, `readings-…`
 */
export async function startBox(options: BoxOptions): Promise<Box> {
  await using parts = new AsyncDisposableStack()
  const { config, city, kinds, logger, onFailure } = options
  const sourceSettings = await loadSources(config.sourcesFile)

  const lock = lockFolder(config.dataDir)
  parts.defer(() => lock.release())
  if (await finishRestore(config.dataDir)) logger.warn({}, 'an interrupted restore was finished')
  const losses = checkStores({ dataDir: config.dataDir, acceptLoss: options.acceptLoss ?? false })
  const registry = await openSqliteRegistry({
    file: registryFile(config.dataDir),
    quarantine: config.limits.quarantine,
  })
  parts.defer(() => registry.close())
  const states = new MessageChannel()
  parts.defer(() => states.port1.close())
  // Both load their libraries at the same time, whatever they wait for afterwards.
  const ingest = spawnIngest(parts, options, states.port2)
  const broker = spawnBroker(parts, options)
  // The largest of the libraries, which the threads need not wait for.
  const [{ createBoxApi, readOverview }, { openQuarantine }] = await Promise.all([
    import('./box-api.ts'),
    import('./open-quarantine.ts'),
  ])
  const later = Promise.withResolvers<Awaited<BoxApiOptions['later']>>()
  const api = createBoxApi({ config, city, kinds, registry, ingest, broker, later: later.promise })
  // Both read what the registry knows of the city, which takes as long as all the rest: side by side.
  const positionOfIngest = ingest.client.position()
  const preparing = Promise.all([ingest.client.prepare(), api.prepare()])
  // Reported where they are awaited, which is not at once.
  preparing.catch(ignore)
  parts.defer(() => preparing.then(() => api.stop(), ignore))
  const position = await positionOfIngest
  // A new city has stored nothing, and has nothing to lose.
  if (position > 0) for (const loss of losses) logger.warn(loss)
  const journal = createSqliteJournal({
    file: journalFile(config.dataDir),
    bounds: config.limits.journal,
    continueAfter: position,
    onCrash: options.onFailure,
    onFull(reason) {
      if (reason === null) logger.info('the journal takes messages again')
      else logger.warn({ reason }, 'the journal is full, senders wait')
    },
  })
  await journal.start()
  parts.defer(() => journal.stop())
  const ingesting = ingest.client.start(journal.readerPort())
  ingesting.catch(ignore)
  parts.defer(() => ingesting.then(() => ingest.client.stop(), ignore))
  const journalPort = (): MessagePort => journal.writerPort()
  const sources = await openSources(parts, { config, sources: sourceSettings, journalPort, onFailure })

  const quarantine = openQuarantine(parts, { config, registry, ingest, journalPort: journal.writerPort() })
  later.resolve({ quarantine, sources })
  const [http] = await Promise.all([api.start(), ingesting])
  parts.defer(() => api.stop())
  // What changed in the meantime waits in the channel.
  states.port1.on('message', (list: SensorState[]) => api.applyStates(list))
  const mqttAddress = { host: config.mqtt.host, ...(await broker.client.start(journal.writerPort())) }
  parts.defer(() => broker.client.stop())

  const administration = createAdministration({
    registry,
    kinds,
    loadCodecNames: () => loadCodecNames(config.codecsDir),
    clock: systemClock,
    disconnect: (username) => broker.client.disconnect(username),
  })
  const methods: RunningBoxMethods = {
    ...administration,
    ...quarantine,
    status: async () => ({
      http: http.address,
      mqtt: mqttAddress,
      sources: await sources.status(),
      ...(await readOverview({ ingest, broker })),
      rollups: await ingest.client.rollupStatus(),
    }),
    rebuild: (request) => ingest.client.rebuild(request),
    rebuildStatus: () => ingest.client.rebuildStatus(),
    cancelRebuild: () => ingest.client.cancelRebuild(),
    copyStores: (folder) => ingest.client.copyStores(folder),
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

function spawnIngest(
  parts: AsyncDisposableStack,
  { config, city: { zones, timeZone }, onFailure }: BoxOptions,
  statesPort: MessagePort,
): Thread<IngestThreadMethods> {
  const thread = spawnThread<IngestThreadMethods, IngestThreadData>({
    file: new URL('./ingest-thread.ts', import.meta.url),
    data: { config, places: { zones, timeZone }, statesPort },
    transferList: [statesPort],
    onFailure,
  })
  parts.defer(() => thread.end())
  return thread
}

function spawnBroker(
  parts: AsyncDisposableStack,
  { config, onFailure }: BoxOptions,
): Thread<BrokerThreadMethods> {
  const thread = spawnThread<BrokerThreadMethods, BrokerThreadData>({
    file: new URL('./broker-thread.ts', import.meta.url),
    data: { config },
    onFailure,
  })
  parts.defer(() => thread.end())
  return thread
}

/** Whoever awaits the start is told of its failure. */
function ignore(): void {
  // Nothing to stop then.
}
