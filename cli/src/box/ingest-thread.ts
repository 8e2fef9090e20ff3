import type { MessagePort } from 'node:worker_threads'
import { createIngest, type IngestStats } from '@pulso/ingest'
import { systemClock } from '@pulso/model'
import {
  createSqliteJournalReader,
  openSqliteRegistry,
  type HistoryQuery,
  type JournalStatus,
  type ReadingsQueries,
} from '@pulso/stores'
import { Registry } from 'prom-client'
import type { Config } from '../config/config.ts'
import { loadKinds } from '../config/load.ts'
import { createLogger } from '../logger.ts'
import { journalFile, registryFile } from './files.ts'
import { openReadings } from './open-readings.ts'
import { serveThread, threadData } from './thread.ts'

/** Ingest's thread. It alone opens the readings (DuckDB allows one opener), so it answers queries of them as well. */
export interface IngestThreadData {
  config: Config
  journalPort: MessagePort
  /** Gets a list of `SensorState` after each batch. */
  statesPort: MessagePort
}

export interface IngestThreadMethods extends ReadingsQueries {
  start(): Promise<void>
  stop(): Promise<void>
  stats(): IngestStats
  journalStatus(): Promise<JournalStatus>
}

const { config, journalPort, statesPort } = threadData<IngestThreadData>()
const metrics = new Registry()

serveThread({ name: 'ingest', metrics, open })

async function open() {
  const kinds = await loadKinds(config.kindsDir)
  const registry = await openSqliteRegistry({
    file: registryFile(config.dataDir),
    quarantineMaxEntries: config.limits.quarantineEntries,
  })
  const journal = createSqliteJournalReader({ port: journalPort, file: journalFile(config.dataDir) })
  const readings = await openReadings({ config, kinds })
  const ingest = createIngest({
    journal,
    readings,
    registry,
    kinds,
    clock: systemClock,
    clockLimits: config.clockLimits,
    logger: createLogger(config.logLevel, 'ingest'),
    metrics,
    onStates: (states) => statesPort.postMessage(states),
  })
  return {
    start: () => ingest.start(),
    async stop() {
      await ingest.stop()
      await journal.close()
      await readings.close()
      await registry.close()
    },
    stats: () => ingest.stats(),
    journalStatus: () => journal.status(),
    history: (query: HistoryQuery) => readings.history(query),
    check: () => readings.check(),
  }
}
