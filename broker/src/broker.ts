import { setImmediate } from 'node:timers/promises'
import { isLoopback, type Clock } from '@pulso/model'
import type { CredentialsRegistry, JournalWriter } from '@pulso/stores'
import { Aedes, type Client } from 'aedes'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { createAdmission } from './admission.ts'
import { createCalmLog } from './calm-log.ts'
import { createConnections } from './connections.ts'
import { createDoor } from './door.ts'
import { createExpress } from './express.ts'
import { createGate } from './gate.ts'
import { createIntake } from './intake.ts'
import { createKeepalive } from './keepalive.ts'
import { DEFAULT_BROKER_LIMITS, type BrokerLimits } from './limits.ts'
import { createBrokerMetrics } from './metrics.ts'
import { endWithOverlap } from './overlap.ts'
import { openPorts, type BrokerPorts, type OpenPorts } from './ports.ts'
import { createReceivedIdsStore } from './received-ids.ts'
import { createReception } from './reception.ts'
import { createSessionStore } from './session-store.ts'
import type { TlsOptions } from './tls.ts'
import { watchAedes } from './watch.ts'

export interface BrokerOptions {
  host: string
  /** 0 for any free one. */
  port: number
  /** MQTT over TLS too. */
  tls?: TlsOptions | null
  /** MQTT over WebSocket too, on this port; `null` for not. */
  webSocketPort?: number | null
  journal: JournalWriter
  credentials: CredentialsRegistry
  clock: Clock
  logger: Logger
  /** What differs from `DEFAULT_BROKER_LIMITS`. */
  limits?: Partial<BrokerLimits>
  /** Addresses that the limits per address leave out; this machine's own by default. */
  isExempt?: (address: string) => boolean
  metrics: Registry
}

export interface Broker {
  /** @throws AppError `port-in-use`, `listen-failed`, `invalid-tls-files` */
  start(): Promise<BrokerPorts>
  /** Takes no more, waits for what is in flight to be kept and acknowledged, then closes. Ends within `stopMs`. */
  stop(): Promise<void>
  /** Connections with a known credential. */
  connections(): number
  /** Closes every connection of a credential, for when it is revoked or gets another secret. @returns how many */
  disconnect(username: string): number
}

/** The MQTT front door: knows who speaks, bounds it, and acknowledges nothing before the journal has kept it. */
export function createBroker(options: BrokerOptions): Broker {
  const { clock, logger } = options
  const limits = { ...DEFAULT_BROKER_LIMITS, ...options.limits }
  const connections = createConnections()
  const metrics = createBrokerMetrics(options.metrics, {
    connections: () => connections.known(),
    halfOpen: () => gate.halfOpen(),
  })
  const log = createCalmLog(logger, clock)
  const gate = createGate({ limits, clock, metrics, log, isExempt: options.isExempt ?? isLoopback })
  const keepalive = createKeepalive({ connections })
  const receivedIds = createReceivedIdsStore(limits.qos2Sessions)
  let running: { aedes: Aedes; open: OpenPorts } | undefined
  let isStopping = false
  let revocations = 0

  const intake = createIntake({
    journal: options.journal,
    limits,
    onCommit({ messages, seconds, error }) {
      if (error) log.error('The journal kept nothing of a commit', { messages, err: error })
      else metrics.keptAfter(seconds)
    },
  })
  const shared = { connections, receivedIds, limits, clock, metrics, log }
  const express = createExpress({ intake, limits, metrics, isStopping: () => isStopping })
  const reception = createReception({ ...shared, gate, intake, express })
  const admission = createAdmission({
    ...shared,
    credentials: options.credentials,
    revocations: () => revocations,
    onOverlap(connection, untilMs) {
      const onEnd = (): void => {
        metrics.connectionEnded('overlap-ended')
        connection.client?.close()
      }
      endWithOverlap(connection, { untilMs, clock, onEnd })
    },
  })

  const createAedes = (): Promise<Aedes> =>
    Aedes.createBroker({
      ...admission,
      ...createDoor({ connections, intake, limits, metrics, log, isStopping: () => isStopping }),
      persistence: createSessionStore((client) => connections.of(client as Client)?.session?.receivedIds),
      // The gate's own deadline comes first, and goes on until the CONNACK.
      connectTimeout: limits.connectTimeoutMs * 2,
      drainTimeout: limits.drainTimeoutMs,
      // Ours is checked for every protocol version, and before the id gets its prefix.
      maxClientsIdLength: limits.connectBytes * 2,
    })

  return {
    async start() {
      const aedes = await createAedes()
      watchAedes({ aedes, connections, metrics, logger, onAdmitted: reception.admit })
      try {
        const open = await openPorts({
          ...options,
          tls: options.tls ?? null,
          webSocketPort: options.webSocketPort ?? null,
          gate,
          accept: (arrival) => reception.accept(aedes, arrival),
          limits,
          metrics,
          log,
        })
        running = { aedes, open }
        keepalive.start()
        return open.ports
      } catch (error) {
        await closeAedes(aedes)
        throw error
      }
    },
    async stop() {
      if (!running || isStopping) return
      isStopping = true
      keepalive.stop()
      const { aedes, open } = running
      const closed = open.close()
      const deadline = AbortSignal.timeout(limits.stopMs)
      await Promise.race([intake.drained(), aborted(deadline)])
      // The acknowledgements of the last commit leave the process before their sockets are closed.
      await setImmediate()
      await Promise.race([closeAedes(aedes).then(() => intake.drained()), aborted(deadline)])
      gate.closeAll()
      await closed
    },
    connections: () => connections.known(),
    disconnect(username) {
      revocations++
      const theirs = [...connections].filter(({ session }) => session?.username === username)
      for (const { client, stream } of theirs) {
        metrics.connectionEnded('credential-changed')
        client?.close()
        // At once: what lies in its buffer is not read any more.
        stream.destroy()
      }
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
