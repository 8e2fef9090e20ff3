import type { MessagePort } from 'node:worker_threads'
import { createBroker, DEFAULT_BROKER_LIMITS } from '@pulso/broker'
import { AppError, systemClock } from '@pulso/model'
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
  /** @throws AppError `mqtt-not-listening` before the start and after the stop */
  check(): void
  /** Ends the connections of a credential. */
  disconnect(username: string): number
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
  let isListening = false
  const methods: BrokerThreadMethods = {
    async start() {
      const address = await broker.start()
      isListening = true
      return address
    },
    async stop() {
      isListening = false
      await broker.stop()
      await journal.close()
      await credentials.close()
    },
    connections: () => broker.connections(),
    check() {
      if (!isListening)
        throw new AppError('mqtt-not-listening', 'The broker does not listen yet', { retryable: true })
    },
    disconnect: (username: string) => broker.disconnect(username),
  }
  return methods
}
