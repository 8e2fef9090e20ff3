import { AppError } from '@pulso/model'
import type { Aedes, Client } from 'aedes'
import type { Logger } from 'pino'
import type { Connection, Connections } from './connections.ts'
import type { BrokerMetrics } from './metrics.ts'

export interface WatchOptions {
  aedes: Aedes
  connections: Connections
  metrics: BrokerMetrics
  logger: Logger
  /** The CONNACK of an admitted client has been written. */
  onAdmitted: (connection: Connection) => void
}

/** What Aedes says of its clients: counted where someone was refused, logged for whoever looks for it. */
export function watchAedes({ aedes, connections, metrics, logger, onAdmitted }: WatchOptions): void {
  aedes.on('connackSent', ({ returnCode }, client) => {
    const connection = connections.of(client)
    if (returnCode === 0 && connection) onAdmitted(connection)
  })
  aedes.on('unsubscribe', (topics, client) => {
    for (const topic of topics) connections.of(client)?.session?.subscriptions.delete(topic)
  })
  aedes.on('connectionError', (client, error) => {
    const reason = toConnectionReason(error)
    if (reason) metrics.connectionRefused(reason)
    const { address } = connections.of(client) ?? {}
    logger.debug({ error: error.message, reason, address }, 'Connection failed')
  })
  const ended = new WeakSet<Client>()
  aedes.on('clientError', (client, error) => {
    // Told once for each answer that waited.
    if (ended.has(client)) return
    ended.add(client)
    const connection = connections.of(client)
    const { address, session } = connection ?? {}
    const ending = ENDINGS.get(error.message.toLowerCase())
    if (ending) metrics.connectionEnded(ending)
    if (isProtocolError(error)) {
      if (session) metrics.refused('protocol')
      else metrics.connectionRefused('protocol')
    }
    // Not the error itself: Aedes puts the packet in it, a second CONNECT with its secret.
    logger.debug({ error: error.message, address, username: session?.username }, 'Connection closed')
  })
  // Nothing in Aedes may end the process: an error event without a listener would.
  ;(aedes as NodeJS.EventEmitter).on('error', (error: Error) => logger.error({ err: error }, 'Broker error'))
}

/** Aedes' own words for what is nobody's mistake in the protocol, and what is counted of it. */
const ENDINGS: ReadonlyMap<string, string | undefined> = new Map([
  ['keep alive timeout', 'silent'],
  ['drain timeout', 'slow-reader'],
  ['connection closed', undefined],
  ['premature close', undefined],
])

/** How `ws` calls what breaks RFC 6455 or its bounds. */
const WEB_SOCKET_ERROR = 'WS_ERR_'

function isProtocolError(error: Error & { code?: unknown }): boolean {
  // What this broker refused is counted where it did; other codes are a line that broke.
  if (error instanceof AppError) return false
  if (typeof error.code === 'string') return error.code.startsWith(WEB_SOCKET_ERROR)
  return !ENDINGS.has(error.message.toLowerCase())
}

function toConnectionReason(error: Error & { errorCode?: unknown }): string | undefined {
  if (error.errorCode === 1) return 'protocol-version'
  return isProtocolError(error) ? 'protocol' : undefined
}
