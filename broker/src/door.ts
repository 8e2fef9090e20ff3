import { AppError, toAppError } from '@pulso/model'
import type { AedesOptions, PublishPacket } from 'aedes'
import { clip, type CalmLog } from './calm-log.ts'
import type { Connection, Connections, Session } from './connections.ts'
import type { Intake } from './intake.ts'
import type { BrokerLimits } from './limits.ts'
import type { BrokerMetrics } from './metrics.ts'
import { judgePublish, maySubscribe, refuseTopic } from './permissions.ts'
import { digestMessage, isRepetition } from './received-ids.ts'

export interface DoorOptions {
  connections: Connections
  intake: Intake
  limits: BrokerLimits
  metrics: BrokerMetrics
  log: CalmLog
  /** True once the broker is stopping: what comes now is not acknowledged, its sender sends it again. */
  isStopping: () => boolean
}

interface Publication {
  connection: Connection
  session: Session
  packet: PublishPacket
  payload: Uint8Array
}

type Done = (error?: Error | null) => void

/**
 * PUBLISH and SUBSCRIBE: Aedes' `authorizePublish` and `authorizeSubscribe`. Aedes writes the PUBACK right after
 * `authorizePublish` calls back and before anything else, so this is the one place where an acknowledgement can be made
 * to wait for the disk.
 */
export function createDoor({ connections, intake, limits, metrics, log, isStopping }: DoorOptions) {
  const refuse = (connection: Connection | undefined, reason: string, fields: object): AppError => {
    metrics.refused(reason)
    const { address, session } = connection ?? {}
    log.warn('Message refused, connection closed', {
      reason,
      address,
      username: session?.username,
      ...fields,
    })
    return new AppError(reason, reason)
  }

  const keep = ({ connection, session, packet, payload }: Publication, done: Done): void => {
    const message = { topic: session.keptTopic, payload, credential: session.username }
    intake.keep(message, connection, (error) => {
      if (error) metrics.refused('journal-failed')
      else metrics.accepted(packet.qos)
      done(error)
    })
  }

  /** QoS 2: a repetition waits for the same answer as the first, and is not kept again. */
  const keepOnce = (publication: Publication, messageId: number, done: Done): void => {
    const { connection, session, packet, payload } = publication
    const { receivedIds } = session
    const digest = digestMessage(packet.topic, payload)
    const known = receivedIds.get(messageId)
    if (known && isRepetition(known, { connection, dup: packet.dup, digest })) {
      known.kept.then(() => done(), done)
      return
    }
    if (!known && receivedIds.size >= limits.qos2InFlight) {
      done(refuse(connection, 'qos2-in-flight', { limit: limits.qos2InFlight }))
      return
    }
    const kept = new Promise<void>((resolve, reject) => {
      keep(publication, (error) => (error ? reject(error) : resolve()))
    })
    const received = { kept, digest, connection }
    receivedIds.set(messageId, received)
    kept.then(
      () => done(),
      (error: unknown) => {
        if (receivedIds.get(messageId) === received) receivedIds.delete(messageId)
        done(toAppError(error))
      },
    )
  }

  /** Why a packet may not come in; `undefined` when it may. */
  const judge = (session: Session, topic: string, payload: Uint8Array): string | undefined => {
    if (payload.length > limits.payloadBytes) return 'packet-too-large'
    return judgePublish(session, topic, limits)
  }

  const take = (publication: Publication, done: Done): void => {
    const { packet } = publication
    const isWill = !isPublish(packet)
    if (isStopping() && !isWill) return
    if (packet.qos === 2 && !isWill) keepOnce(publication, packet.messageId ?? 0, done)
    else if (packet.qos > 0 || isWill) keep(publication, done)
    else {
      // Nobody waits for QoS 0; what is in flight still counts against the connection's bound.
      keep(publication, () => undefined)
      done()
    }
  }

  return {
    authorizePublish(client, packet, done) {
      const connection = client ? connections.of(client) : undefined
      const session = connection?.session
      const { topic } = packet
      const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
      const reason = session ? judge(session, topic, payload) : 'not-allowed'
      if (!connection || !session || reason) {
        done(refuse(connection, reason ?? 'not-allowed', { topic: clip(topic), bytes: payload.length }))
        return
      }
      // What a sensor last said is ingest's to remember; nobody may subscribe to it here.
      packet.retain = false
      take({ connection, session, packet, payload }, done)
    },
    authorizeSubscribe(client, subscription, done) {
      const connection = connections.of(client)
      const session = connection?.session
      const isAllowed =
        session !== undefined &&
        !refuseTopic(subscription.topic, limits) &&
        maySubscribe(session.scope, subscription.topic) &&
        (session.subscriptions.has(subscription.topic) || session.subscriptions.size < limits.subscriptions)
      if (isAllowed) {
        session.subscriptions.add(subscription.topic)
        done(null, subscription)
        return
      }
      metrics.refused('subscription')
      const { address } = connection ?? {}
      log.warn('Subscription refused', {
        address,
        username: session?.username,
        topic: clip(subscription.topic),
      })
      // No subscription and no error: Aedes answers 0x80 for this filter.
      done(null, null)
    },
  } satisfies AedesOptions
}

/** A will comes without the fields of a packet. */
function isPublish(packet: Partial<Pick<PublishPacket, 'cmd'>>): boolean {
  return packet.cmd === 'publish'
}
