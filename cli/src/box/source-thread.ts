import type { MessagePort } from 'node:worker_threads'
import {
  createMqttSource,
  createSourceMetrics,
  type MqttSource,
  type SourceSettings,
  type SourceStatus,
} from '@pulso/ingest'
import { systemClock } from '@pulso/model'
import { createSqliteJournalWriter, type JournalWriter } from '@pulso/stores'
import { Registry } from 'prom-client'
import type { Config } from '../config/config.ts'
import { createLogger } from '../logger.ts'
import { serveThread, threadData } from './thread.ts'

/** The thread of the external brokers: their sockets, so that a slow one keeps nobody else waiting. */
export interface SourceThreadData {
  config: Config
  sources: readonly SourceSettings[]
  /** Where they remember what may come again. */
  folder: string
}

export interface SourceThreadMethods {
  start(journalPort: MessagePort): void
  stop(): Promise<void>
  status(): SourceStatus[]
}

const { config, sources, folder } = threadData<SourceThreadData>()
const metrics = new Registry()

serveThread({ name: 'source', metrics, open })

async function open() {
  const logger = createLogger(config.logLevel, 'source')
  const sourceMetrics = createSourceMetrics(metrics)
  let running: { list: MqttSource[]; journal: JournalWriter } | undefined

  const methods: SourceThreadMethods = {
    start(journalPort) {
      const journal = createSqliteJournalWriter({ port: journalPort })
      const list = sources.map((settings) =>
        createMqttSource({
          ...settings,
          folder,
          journal,
          clock: systemClock,
          logger,
          metrics: sourceMetrics,
          limits: { payloadBytes: config.limits.broker.payloadBytes },
        }),
      )
      running = { list, journal }
      for (const source of list) source.start()
    },
    async stop() {
      await Promise.all(running?.list.map((source) => source.stop()) ?? [])
      await running?.journal.close()
    },
    status: () => running?.list.map((source) => source.status()) ?? [],
  }
  return methods
}
