import { AppError } from '@pulso/model'
import type { Aedes } from 'aedes'
import type { Logger } from 'pino'
import type { Connections } from './connections.ts'
import { PUBLISH_OVERHEAD_BYTES, type BrokerLimits } from './limits.ts'
import type { BrokerMetrics } from './metrics.ts'

export interface WatchOptions {
  aedes: Aedes
  connections: Connections
  limits: BrokerLimits
  metrics: BrokerMetrics
  logger: Logger
}

/** What Aedes says of its clients: counted where someone was refused, logged for whoever looks for it. */
export function watchAedes({ aedes, connections, limits, metrics, logger }: WatchOptions): void {
  aedes.on('connackSent', ({ returnCode }, client) => {
    if (returnCode === 0) connections.of(client)?.guard.setLimit(limits.payloadBytes + PUBLISH_OVERHEAD_BYTES)
  })
  aedes.on('unsubscribe', (topics, client) => {
    for (const topic of topics) connections.of(client)?.session?.subscriptions.delete(topic)
  })
  aedes.on('connectionError', (client, error) => {
    const reason = toConnectionReason(error)
    if (reason) metrics.connectionRefused(reason)
    logger.debug({ err: error, reason, address: connections.of(client)?.address }, 'Connection failed')
  })
  aedes.on('clientError', (client, error) => {
    const connection = connections.of(client)
    const { address, session } = connection ?? {}
    if (isProtocolError(error)) {
      if (session) metrics.refused('protocol')
      else metrics.connectionRefused('protocol')
    }
    logger.debug({ err: error, address, username: session?.username }, 'Connection closed')
  })
  // Nothing in Aedes may end the process: an error event without a listener would.
  ;(aedes as NodeJS.EventEmitter).on('error', (error: Error) => logger.error({ err: error }, 'Broker error'))
}

/** Aedes' own words for what is nobody's mistake in the protocol. */
const ENDINGS = new Set(['keep alive timeout', 'drain timeout', 'connection closed', 'premature close'])

function isProtocolError(error: Error & { code?: unknown }): boolean {
  // What this broker refused is counted where it did; codes of the system are a line that broke.
  const isOurs = error instanceof AppError
  return !isOurs && typeof error.code !== 'string' && !ENDINGS.has(error.message.toLowerCase())
}

function toConnectionReason(error: Error & { errorCode?: unknown }): string | undefined {
  if (error.message === 'connect did not arrive in time') return 'connect-timeout'
  if (error.errorCode === 1) return 'protocol-version'
  return isProtocolError(error) ? 'protocol' : undefined
}
