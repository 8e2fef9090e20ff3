import { rm } from 'node:fs/promises'
import type { MessagePort } from 'node:worker_threads'
import {
  createIngest,
  loadCodecs,
  loadMemory,
  type Ingest,
  type IngestStats,
  type IngestStatus,
  type Memory,
  type Roller,
  type RollupStatus,
} from '@pulso/ingest'
import { systemClock } from '@pulso/model'
import {
  createHoldableReader,
  createSqliteJournalReader,
  openSqliteRegistry,
  type AggregatesQueries,
  type AggregatesQuestion,
  type CopiedStores,
  type HoldableReader,
  type HistoryQuery,
  type JournalStatus,
  type ReadingsQueries,
  type Rollups,
} from '@pulso/stores'
import { Registry } from 'prom-client'
import type { Config } from '../config/config.ts'
import { loadKinds } from '../config/load.ts'
import { createLogger } from '../logger.ts'
import { createExportDesk, type ExportDesk } from './export-desk.ts'
import { exportsFolder, journalFile, registryFile } from './files.ts'
import { openReadings } from './open-readings.ts'
import { openRoller, type CityPlaces } from './open-roller.ts'
import { createRebuildDesk, type RebuildDesk } from './rebuild-desk.ts'
import { createStoreCopier } from './store-copier.ts'
import { serveThread, threadData } from './thread.ts'
import { yieldPriority } from './yield-priority.ts'

/** Ingest's thread. It alone opens the readings (DuckDB allows one opener), so it answers queries of them as well. */
export interface IngestThreadData {
  config: Config
  places: CityPlaces
  /** Gets a list of `SensorState` after each batch. */
  statesPort: MessagePort
}

export interface IngestThreadMethods extends ReadingsQueries, AggregatesQueries, ExportDesk, RebuildDesk {
  /** The newest journal position that is kept in the readings or in the registry: positions must go on behind it. */
  position(): Promise<number>
  /** Begins to read the registry, which `start` needs and which takes a second with 100,000 sensors. */
  prepare(): void
  start(journalPort: MessagePort): Promise<void>
  stop(): Promise<void>
  stats(): Promise<IngestStats>
  journalStatus(): Promise<JournalStatus>
  /** @throws AppError when the journal does not answer or cannot keep messages */
  checkJournal(): Promise<void>
  status(): Promise<IngestStatus>
  /** How it stands with the aggregates, and what readings and aggregates take. */
  rollupStatus(): Promise<RollupStatus & Awaited<ReturnType<Rollups['sizes']>>>
  /** Copies the stores into a folder that is there, as they are together. @throws AppError `backup-under-way` */
  copyStores(folder: string): Promise<CopiedStores>
}

const { config, places, statesPort } = threadData<IngestThreadData>()
const metrics = new Registry()

serveThread({ name: 'ingest', metrics, open })

async function open() {
  const logger = createLogger(config.logLevel, 'ingest')
  yieldPriority(logger)
  const kinds = await loadKinds(config.kindsDir)
  const codecs = await loadCodecs(config.codecsDir)
  const registry = await openSqliteRegistry({
    file: registryFile(config.dataDir),
    quarantine: config.limits.quarantine,
  })
  const readings = await openReadings({ config, kinds, registry, logger })
  const started = Promise.withResolvers<{ ingest: Ingest; journal: HoldableReader; roller: Roller }>()
  let memory: Promise<Memory> | undefined
  // Files for downloads that were under way when the box was killed.
  await rm(exportsFolder(config.dataDir), { recursive: true, force: true })
  const copyTo = createStoreCopier({ dataDir: config.dataDir, readings })

  const methods: IngestThreadMethods = {
    position: async () => Math.max(await readings.position(), await registry.ingestPosition()),
    prepare() {
      memory ??= loadMemory(registry)
      // Reported by the start.
      memory.catch(() => undefined)
    },
    async start(journalPort) {
      const journal = createHoldableReader(
        createSqliteJournalReader({ port: journalPort, file: journalFile(config.dataDir) }),
      )
      // Before the first batch: it is judged by what is rolled up already.
      const roller = await openRoller({ config, places, kinds, readings, registry, logger, metrics })
      const ingest = createIngest({
        journal: journal.reader,
        readings,
        registry,
        ...(memory && { memory }),
        kinds,
        codecs,
        rollups: roller.watch,
        clock: systemClock,
        clockLimits: config.clockLimits,
        logger,
        metrics,
        onStates: (states) => statesPort.postMessage(states),
      })
      await ingest.start()
      roller.start()
      started.resolve({ ingest, journal, roller })
    },
    async stop() {
      const { ingest, journal, roller } = await started.promise
      await Promise.all([ingest.stop(), roller.stop()])
      await journal.reader.close()
      await readings.close()
      await registry.close()
    },
    stats: async () => (await started.promise).ingest.stats(),
    journalStatus: async () => (await started.promise).ingest.journalStatus(),
    async checkJournal() {
      await (await started.promise).journal.reader.check()
    },
    status: async () => (await started.promise).ingest.status(),
    async rollupStatus() {
      const { roller } = await started.promise
      return { ...roller.status(), ...(await roller.sizes()) }
    },
    aggregates: async (question: AggregatesQuestion) => (await started.promise).roller.aggregates(question),
    ...createRebuildDesk(async () => (await started.promise).roller),
    copyStores: async (folder) => copyTo(folder, (await started.promise).journal),
    history: (query: HistoryQuery) => readings.history(query),
    check: () => readings.check(),
    ...createExportDesk(readings),
  }
  return methods
}
