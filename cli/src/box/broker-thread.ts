import type { MessagePort } from 'node:worker_threads'
import { createBroker, type Broker, type BrokerPorts } from '@pulso/broker'
import { AppError, systemClock } from '@pulso/model'
import { createSqliteJournalWriter, openSqliteRegistry, type JournalWriter } from '@pulso/stores'
import { Registry } from 'prom-client'
import type { Config } from '../config/config.ts'
import { createLogger } from '../logger.ts'
import { registryFile } from './files.ts'
import { serveThread, threadData } from './thread.ts'

/** The broker's thread: sockets and MQTT alone, so that no commit and no query keeps a device waiting. */
export interface BrokerThreadData {
  config: Config
}

export interface BrokerThreadMethods {
  start(journalPort: MessagePort): Promise<BrokerPorts>
  stop(): Promise<void>
  connections(): number
  /** @throws AppError `mqtt-not-listening` before the start and after the stop */
  check(): void
  /** Ends the connections of a credential. */
  disconnect(username: string): number
}

const { config } = threadData<BrokerThreadData>()
const metrics = new Registry()

serveThread({ name: 'broker', metrics, open })

async function open() {
  const credentials = await openSqliteRegistry({ file: registryFile(config.dataDir) })
  let running: { broker: Broker; journal: JournalWriter } | undefined

  const methods: BrokerThreadMethods = {
    async start(journalPort) {
      const journal = createSqliteJournalWriter({ port: journalPort })
      const broker = createBroker({
        ...config.mqtt,
        journal,
        credentials,
        clock: systemClock,
        logger: createLogger(config.logLevel, 'broker'),
        limits: config.limits.broker,
        metrics,
      })
      const ports = await broker.start()
      running = { broker, journal }
      return ports
    },
    async stop() {
      await running?.broker.stop()
      await running?.journal.close()
      await credentials.close()
      running = undefined
    },
    connections: () => running?.broker.connections() ?? 0,
    check() {
      if (!running)
        throw new AppError('mqtt-not-listening', 'The broker does not listen yet', { retryable: true })
    },
    disconnect: (username) => running?.broker.disconnect(username) ?? 0,
  }
  return methods
}
