import { createServer, type Server, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '@pulso/model'
import type { CredentialsRegistry, JournalWriter } from '@pulso/stores'
import { Aedes, type Client } from 'aedes'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { createAdmission } from './admission.ts'
import { createCalmLog } from './calm-log.ts'
import { createConnections, type Connection } from './connections.ts'
import { createDoor } from './door.ts'
import { guardSocket, type GuardVerdict } from './guard.ts'
import { createIntake } from './intake.ts'
import { DEFAULT_BROKER_LIMITS, type BrokerLimits } from './limits.ts'
import { listen } from './listen.ts'
import { createBrokerMetrics } from './metrics.ts'
import { createReceivedIdsStore } from './received-ids.ts'
import { createSessionStore } from './session-store.ts'
import { watchAedes } from './watch.ts'

export interface BrokerOptions {
  host: string
  /** 0 for any free one. */
  port: number
  journal: JournalWriter
  credentials: CredentialsRegistry
  clock: Clock
  logger: Logger
  /** What differs from `DEFAULT_BROKER_LIMITS`. */
  limits?: Partial<BrokerLimits>
  metrics: Registry
}

export interface Broker {
  /** @throws AppError `port-in-use`, `listen-failed` */
  start(): Promise<{ port: number }>
  /** Takes no more, waits for what is in flight to be kept and acknowledged, then closes. Ends within `stopMs`. */
  stop(): Promise<void>
  /** Connections with a known credential. */
  connections(): number
  /** Closes every connection of a credential, for when it is revoked or gets another secret. @returns how many */
  disconnect(username: string): number
}

/** The MQTT front door: knows who speaks, bounds it, and acknowledges nothing before the journal has kept it. */
export function createBroker(options: BrokerOptions): Broker {
  const limits = { ...DEFAULT_BROKER_LIMITS, ...options.limits }
  const connections = createConnections()
  const metrics = createBrokerMetrics(options.metrics, () => connections.known())
  const log = createCalmLog(options.logger, options.clock)
  const receivedIds = createReceivedIdsStore(limits.qos2Sessions)
  let running: { aedes: Aedes; server: Server } | undefined
  let isStopping = false

  const intake = createIntake({
    journal: options.journal,
    limits,
    onCommit({ messages, seconds, error }) {
      if (error) log.error('The journal kept nothing of a commit', { messages, err: error })
      else metrics.keptAfter(seconds)
    },
  })

  const createAedes = (): Promise<Aedes> =>
    Aedes.createBroker({
      ...createAdmission({
        credentials: options.credentials,
        connections,
        receivedIds,
        limits,
        metrics,
        log,
      }),
      ...createDoor({ connections, intake, limits, metrics, log, isStopping: () => isStopping }),
      persistence: createSessionStore((client) => connections.of(client as Client)?.session?.receivedIds),
      queueLimit: limits.packetsBeforeConnack,
      connectTimeout: limits.connectTimeoutMs,
      drainTimeout: limits.drainTimeoutMs,
      // Ours is checked for every protocol version, and before the credential is put in front of the id.
      maxClientsIdLength: limits.connectBytes * 2,
    })

  const refuseStream = (connection: Connection, verdict: GuardVerdict): void => {
    const { address, session } = connection
    if (session) metrics.refused(verdict.reason)
    else metrics.connectionRefused(verdict.reason)
    log.warn('Packet refused, connection closed', { ...verdict, address, username: session?.username })
  }

  const accept = (aedes: Aedes, socket: Socket): void => {
    const connection: Connection = {
      socket,
      address: socket.remoteAddress ?? 'unknown',
      inFlightBytes: 0,
      client: undefined,
      request: undefined,
      session: undefined,
      resume: () => connection.guard.resume(),
      guard: guardSocket(socket, {
        limitBytes: limits.connectBytes,
        mayRead: () => intake.mayRead(connection),
        onRefused: (verdict) => refuseStream(connection, verdict),
      }),
    }
    connections.add(connection)
    socket.once('close', () => {
      const { session, client } = connection
      if (session && client) receivedIds.close(client.id, session.clean, session.receivedIds)
      connections.remove(connection)
    })
    connection.client = aedes.handle(socket)
  }

  return {
    async start() {
      const aedes = await createAedes()
      watchAedes({ aedes, connections, limits, metrics, logger: options.logger })
      const server = createServer(
        { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 },
        (socket) => accept(aedes, socket),
      )
      server.maxConnections = limits.connections
      server.on('drop', (dropped) => {
        metrics.connectionRefused('too-many-connections')
        log.warn('Connection refused', { reason: 'too-many-connections', address: dropped?.remoteAddress })
      })
      try {
        const port = await listen(server, options)
        // Without file descriptors left, accepting fails for a while; that must not end the process.
        server.on('error', (error) => log.error('Cannot accept connections', { err: error }))
        running = { aedes, server }
        return { port }
      } catch (error) {
        await closeAedes(aedes)
        throw error
      }
    },
    async stop() {
      if (!running || isStopping) return
      isStopping = true
      const { aedes, server } = running
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const deadline = AbortSignal.timeout(limits.stopMs)
      await Promise.race([intake.drained(), aborted(deadline)])
      // The acknowledgements of the last commit leave the process before their sockets are closed.
      await setImmediate()
      await Promise.race([closeAedes(aedes).then(() => intake.drained()), aborted(deadline)])
      for (const { socket } of connections) socket.destroy()
      await closed
    },
    connections: () => connections.known(),
    disconnect(username) {
      const theirs = [...connections].filter(({ session }) => session?.username === username)
      for (const { client } of theirs) client?.close()
      return theirs.length
    },
  }
}

function closeAedes(aedes: Aedes): Promise<void> {
  return new Promise((resolve) => aedes.close(() => resolve()))
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
