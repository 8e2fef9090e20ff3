import type { AppError } from '@pulso/model'
import type { Connection } from './connections.ts'
import type { Intake, Parcel } from './intake.ts'
import type { BrokerLimits } from './limits.ts'
import type { BrokerMetrics } from './metrics.ts'
import { judgePublish } from './permissions.ts'
import type { LanePublish } from './publish-lane.ts'

export interface ExpressOptions {
  intake: Intake
  limits: BrokerLimits
  metrics: BrokerMetrics
  /** True once the broker is stopping: what comes now goes the ordinary way, where it is not acknowledged. */
  isStopping: () => boolean
}

/** Keeps what the publish lane takes out of a stream, and acknowledges it in one write a commit. */
export interface Express {
  /** @returns false when the message is for the ordinary way, which knows how to refuse it */
  take(connection: Connection, publish: LanePublish): boolean
  /** Answers a connection's messages of one commit; without an answer they come again. */
  settle(connection: Connection, parcel: Parcel, error?: AppError): void
}

const PUBACK_BYTES = 4
/** MQTT 3.1.1, 3.4: type 4, two bytes behind it. */
const [PUBACK_TYPE, PUBACK_LENGTH] = [0x40, 0x02]

export function createExpress({ intake, limits, metrics, isStopping }: ExpressOptions): Express {
  return {
    take(connection, { bytes, topicAt, topicEnd, packetId, payloadAt, end }) {
      const { session, stream } = connection
      if (!session || stream.destroyed || isStopping() || end - payloadAt > limits.payloadBytes) return false
      const { allowedBytes } = session
      if (!allowedBytes || !isSame(allowedBytes, bytes, { from: topicAt, until: topicEnd })) {
        const topic = readAscii(bytes, topicAt, topicEnd)
        if (topic === undefined || judgePublish(session, topic, limits)) return false
        session.allowedBytes = remember(allowedBytes, bytes.subarray(topicAt, topicEnd))
      }
      const message = {
        topic: session.keptTopic,
        payload: bytes.subarray(payloadAt, end),
        credential: session.username,
      }
      intake.keepParcelled(message, connection, packetId)
      return true
    },
    settle({ stream }, { packetIds, messages }, error) {
      if (error) {
        metrics.refused('journal-failed', messages)
        stream.destroy()
        return
      }
      metrics.accepted(1, packetIds.length)
      metrics.accepted(0, messages - packetIds.length)
      if (packetIds.length > 0 && stream.writable) stream.write(encodePubacks(packetIds))
    },
  }
}

function encodePubacks(packetIds: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(packetIds.length * PUBACK_BYTES)
  let at = 0
  for (const packetId of packetIds) {
    bytes[at++] = PUBACK_TYPE
    bytes[at++] = PUBACK_LENGTH
    bytes[at++] = packetId >>> 8
    bytes[at++] = packetId & 0xff
  }
  return bytes
}

function isSame(known: Buffer, bytes: Buffer, { from, until }: { from: number; until: number }): boolean {
  return known.length === until - from && known.compare(bytes, from, until) === 0
}

/** A copy of its own, so that it does not hold on to the chunk it came in. */
function remember(place: Buffer | undefined, topic: Buffer): Buffer {
  const copy = place?.length === topic.length ? place : Buffer.allocUnsafeSlow(topic.length)
  topic.copy(copy)
  return copy
}

/** Topics that may be allowed are ASCII; the ordinary way decodes and judges all others. */
function readAscii(bytes: Buffer, from: number, until: number): string | undefined {
  for (let at = from; at < until; at++) if ((bytes[at] ?? 0) > 0x7f) return undefined
  return bytes.toString('latin1', from, until)
}
