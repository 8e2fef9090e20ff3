import { performance } from 'node:perf_hooks'
import type { Clock } from '@pulso/model'
import type { Aedes } from 'aedes'
import type { CalmLog } from './calm-log.ts'
import type { Arrival, Connection, Connections, Session } from './connections.ts'
import type { Express } from './express.ts'
import type { Gate } from './gate.ts'
import { guardStream, type GuardVerdict } from './guard.ts'
import type { Intake } from './intake.ts'
import { largestPacketBytes, type BrokerLimits } from './limits.ts'
import type { BrokerMetrics } from './metrics.ts'
import { createPublishLane } from './publish-lane.ts'
import { createQuotas } from './quota.ts'
import type { ReceivedIdsStore } from './received-ids.ts'
import { createThrottle, type Throttle } from './throttle.ts'

export interface ReceptionOptions {
  connections: Connections
  gate: Gate
  intake: Intake
  express: Express
  receivedIds: ReceivedIdsStore
  limits: BrokerLimits
  clock: Clock
  metrics: BrokerMetrics
  log: CalmLog
}

/** Where streams become connections: guarded from the first byte, throttled from the CONNACK on. */
export interface Reception {
  accept(aedes: Aedes, arrival: Arrival): void
  /** The CONNACK of an admitted client has been written. */
  admit(connection: Connection): void
}

export function createReception(options: ReceptionOptions): Reception {
  const { connections, gate, intake, express, receivedIds, limits, clock, metrics, log } = options
  const quotas = createQuotas(limits, clock)

  const refuse = ({ address, session }: Connection, verdict: GuardVerdict): void => {
    const { reason } = verdict
    if (!session) metrics.connectionRefused(reason)
    else if (reason === 'message-rate' || reason === 'byte-rate') metrics.connectionEnded(reason)
    else metrics.refused(reason)
    log.warn('Connection closed', { ...verdict, address, username: session?.username })
  }

  /** Holds the connection to its sender's rate, where that has a bound. */
  const throttle = (connection: Connection, { username, scope }: Session): Throttle | undefined => {
    const quota = quotas.enter(username, scope)
    connection.stream.once('close', () => quotas.leave(username, scope))
    if (!quota) return undefined
    const created = createThrottle({
      quota,
      overRateMs: limits.overRateMs,
      clock,
      resume: connection.resume,
      onWait: metrics.heldBack,
      onOver: (reason) => connection.guard.refuse({ reason }),
    })
    connection.stream.once('close', () => created.stop())
    return created
  }

  return {
    accept(aedes, arrival) {
      const { stream } = arrival
      const connection: Connection = {
        ...arrival,
        address: arrival.ticket.address,
        inFlightBytes: 0,
        parcel: undefined,
        client: undefined,
        request: undefined,
        keepaliveMs: 0,
        heardAtMs: 0,
        session: undefined,
        resume: () => connection.guard.resume(),
        settle: (parcel, error) => express.settle(connection, parcel, error),
        guard: guardStream(stream, {
          connectBytes: limits.connectBytes,
          unreadBytes: limits.unreadBytes,
          mayRead: () => intake.mayRead(connection),
          onRefused: (verdict) => refuse(connection, verdict),
        }),
      }
      connections.add(connection)
      stream.once('close', () => {
        const { session, client } = connection
        if (session && client) receivedIds.close(client.id, session.clean, session.receivedIds)
        connections.remove(connection)
      })
      connection.client = aedes.handle(stream)
    },
    admit(connection) {
      const { session, stream, ticket, guard } = connection
      if (!session || stream.destroyed) return
      gate.settle(ticket)
      connection.keepaliveMs = connection.request?.keepaliveMs ?? limits.keepaliveMs
      connection.heardAtMs = performance.now()
      guard.open({
        limitBytes: largestPacketBytes(limits),
        throttle: throttle(connection, session),
        lane: createPublishLane((publish) => express.take(connection, publish)),
      })
    },
  }
}
