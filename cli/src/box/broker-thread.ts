import type { MessagePort } from 'node:worker_threads'
import { createBroker, DEFAULT_BROKER_LIMITS } from '@pulso/broker'
import { systemClock } from '@pulso/model'
import { createSqliteJournalWriter, openSqliteRegistry } from '@pulso/stores'
import { Registry } from 'prom-client'
import type { Config } from '../config/config.ts'
import { createLogger } from '../logger.ts'
import { registryFile } from './files.ts'
import { serveThread, threadData } from './thread.ts'

/** The broker's thread: sockets and MQTT alone, so that no commit and no query keeps a device waiting. */
export interface BrokerThreadData {
  config: Config
  journalPort: MessagePort
}

export interface BrokerThreadMethods {
  start(): Promise<{ port: number }>
  stop(): Promise<void>
  connections(): number
}

const { config, journalPort } = threadData<BrokerThreadData>()
const metrics = new Registry()

serveThread({ name: 'broker', metrics, open })

async function open() {
  const credentials = await openSqliteRegistry({ file: registryFile(config.dataDir) })
  const journal = createSqliteJournalWriter({ port: journalPort })
  const broker = createBroker({
    ...config.mqtt,
    journal,
    credentials,
    clock: systemClock,
    logger: createLogger(config.logLevel, 'broker'),
    limits: { ...DEFAULT_BROKER_LIMITS, ...config.limits.broker },
    metrics,
  })
  return {
    start: () => broker.start(),
    async stop() {
      await broker.stop()
      await journal.close()
      await credentials.close()
    },
    connections: () => broker.connections(),
  }
}
