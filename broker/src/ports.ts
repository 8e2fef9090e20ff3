import { createServer, type Server } from 'node:net'
import type { CalmLog } from './calm-log.ts'
import type { Arrival } from './connections.ts'
import type { Gate } from './gate.ts'
import { largestPacketBytes, type BrokerLimits } from './limits.ts'
import { listen } from './listen.ts'
import type { BrokerMetrics } from './metrics.ts'
import { createTlsEntrance, type Entrance, type TlsOptions } from './tls.ts'
import { createWebSocketEntrance } from './websocket.ts'

/** Where the broker listens; `null` for what is off. */
export interface BrokerPorts {
  port: number
  tlsPort: number | null
  webSocketPort: number | null
}

export interface PortsOptions {
  host: string
  port: number
  tls: TlsOptions | null
  webSocketPort: number | null
  gate: Gate
  accept: (arrival: Arrival) => void
  limits: BrokerLimits
  metrics: BrokerMetrics
  log: CalmLog
}

export interface OpenPorts {
  ports: BrokerPorts
  /** Takes no more; resolves when every socket has ended. */
  close(): Promise<void>
}

/**
 * Listens for MQTT, and over TLS and WebSocket where they are on. All of them, or none.
 * @throws AppError `port-in-use`, `listen-failed`, `invalid-tls-files`
 */
export async function openPorts(options: PortsOptions): Promise<OpenPorts> {
  const { host, tls, accept, limits, metrics, log, gate } = options
  const servers: Server[] = []

  const open = async (name: string, port: number, entrance: Entrance): Promise<number> => {
    const server = createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 },
      (socket) => {
        const ticket = gate.open(socket)
        if (ticket) entrance(ticket)
      },
    )
    const opened = await listen(server, { host, port, name })
    // Without file descriptors left, accepting fails for a while; that must not end the process.
    server.on('error', (error) => log.error('Cannot accept connections', { err: error }))
    servers.push(server)
    return opened
  }
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))))
  }

  try {
    const overTls =
      tls &&
      (await createTlsEntrance({
        ...tls,
        handshakeTimeoutMs: limits.connectTimeoutMs,
        accept,
        metrics,
        log,
      }))
    const port = await open('MQTT', options.port, (ticket) =>
      accept({ stream: ticket.socket, ticket, certificateName: undefined }),
    )
    const tlsPort = tls && overTls ? await open('MQTT over TLS', tls.port, overTls) : null
    const maxMessageBytes = largestPacketBytes(limits)
    const webSocketPort =
      options.webSocketPort === null
        ? null
        : await open(
            'MQTT over WebSocket',
            options.webSocketPort,
            createWebSocketEntrance({ maxMessageBytes, accept, metrics, log }),
          )
    return { ports: { port, tlsPort, webSocketPort }, close }
  } catch (error) {
    gate.closeAll()
    await close()
    throw error
  }
}
