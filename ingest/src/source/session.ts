import { performance } from 'node:perf_hooks'
import { SECOND_MS, type AppError } from '@pulso/model'
import {
  generate,
  type IConnackPacket,
  type IPublishPacket,
  type ISubackPacket,
  type Packet,
} from 'mqtt-packet'
import type { Logger } from 'pino'
import type { Deliveries, Delivery } from './deliveries.ts'
import { fault, toConnackFault } from './faults.ts'
import type { Frame } from './framer.ts'
import type { SourceLimits } from './limits.ts'
import { openLink } from './link.ts'
import type { OneSourceMetrics } from './metrics.ts'
import type { Qos, SourceSettings } from './options.ts'
import { createPings } from './pings.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { Window } from './window.ts'

export interface SessionOptions {
  settings: SourceSettings
  limits: SourceLimits
  deliveries: Deliveries
  window: Window
  subscriptions: Subscriptions
  metrics: OneSourceMetrics
  logger: Logger
  onConnected(): void
  /** Called once. */
  onClosed(error: AppError): void
}

/** One connection to the broker, from the first packet of TCP to the last. */
export interface Session {
  /** Reads nothing more; what is in flight is still acknowledged. */
  hold(): void
  /** Says goodbye: the broker keeps the session. Resolves when the connection is closed. */
  end(): Promise<void>
}

const DISCONNECT = Buffer.of(0xe0, 0)

export function openSession(options: SessionOptions): Session {
  const { settings, limits, deliveries, window, subscriptions, metrics, logger } = options
  let isConnected = false
  let isStopping = false
  let lastMessageId = 0
  /** Answers that the broker owes, by message id. */
  const owed = new Map<number, { topics: readonly string[]; sinceMs: number }>()
  let askedForTopicsMs = 0
  const closed = Promise.withResolvers<undefined>()

  const link = openLink(settings, {
    onConnect: () => link.write(toConnect(settings, limits)),
    onPacket: (packet) => take(packet),
    onOversized(frame) {
      if (isConnected) takeDelivery(toDelivery(readHead(frame)))
      else link.close(fault('source-garbage', 'The broker began with a message'))
    },
    onPause: () => {
      pings.heard()
      taker.hand()
      hold()
    },
    onClose(error) {
      clearTimeout(connectTimer)
      clearInterval(ticker)
      taker.close()
      closed.resolve(undefined)
      options.onClosed(error)
    },
  })
  const taker = deliveries.open({
    acknowledge: (bytes) => link.write(bytes),
    fail: (error) => link.close(error),
    eased: () => hold(),
  })
  const pings = createPings({ link, window, limits, isHeld: () => isFull() })
  const connectTimer = setTimeout(() => {
    link.close(fault('source-timeout', `No connection within ${limits.connectMs} ms`))
  }, limits.connectMs)
  const ticker = setInterval(() => tick(), limits.confirmMs)

  const isFull = (): boolean => deliveries.inFlight().bytes >= limits.inFlightBytes
  const hold = (): void => link.setHeld(isStopping || isFull() || link.unsentBytes() > limits.unsentBytes)

  const tick = (): void => {
    if (!isConnected || isStopping) return
    hold()
    const nowMs = performance.now()
    if (!isFull()) {
      for (const { sinceMs } of owed.values()) {
        if (nowMs - sinceMs > limits.answerMs) {
          link.close(fault('source-silent', 'The broker does not answer our SUBSCRIBE'))
          return
        }
      }
    }
    pings.tick(nowMs)
    const refused = subscriptions.refused()
    if (refused.length > 0 && nowMs - askedForTopicsMs > limits.refusedTopicsMs) subscribe(refused)
  }

  const owe = (topics: readonly string[]): number => {
    lastMessageId = (lastMessageId % 65_535) + 1
    owed.set(lastMessageId, { topics, sinceMs: performance.now() })
    return lastMessageId
  }

  const subscribe = (topics: readonly string[]): void => {
    askedForTopicsMs = performance.now()
    const list = topics.map((topic) => ({ topic, qos: settings.qos }))
    link.write(generate({ cmd: 'subscribe', messageId: owe(topics), subscriptions: list }))
  }

  const connected = ({ returnCode = 0, sessionPresent }: IConnackPacket): void => {
    if (returnCode !== 0) {
      link.close(toConnackFault(returnCode))
      return
    }
    clearTimeout(connectTimer)
    isConnected = true
    link.setLimit(limits.payloadBytes + limits.topicLength + 4)
    if (!sessionPresent) {
      window.clear()
      if (subscriptions.isKnown) {
        metrics.sessionLost()
        logger.warn('The broker has forgotten our session: what it held for us is lost')
      }
      subscriptions.begin()
    }
    subscriptions.asking()
    const left = subscriptions.left()
    if (left.length > 0) {
      link.write(generate({ cmd: 'unsubscribe', messageId: owe([]), unsubscriptions: left }))
    }
    // Also in a session that goes on: a topic may be new, and a broker may have lost some.
    subscribe(settings.topics)
    options.onConnected()
  }

  const granted = ({ messageId = 0, granted: codes }: ISubackPacket): void => {
    const asked = owed.get(messageId)
    if (!asked) return
    owed.delete(messageId)
    subscriptions.answer(asked.topics, codes.map(Number))
  }

  const takeDelivery = (delivery: Delivery): void => {
    const { topic, payload } = delivery
    const isPayloadTooLarge = payload.length > limits.payloadBytes
    if (!isPayloadTooLarge && topic.length <= limits.topicLength) {
      taker.take(delivery)
      return
    }
    // Not to take it would block those behind it for ever. Its beginning ends up in quarantine, where it is seen.
    const reason = isPayloadTooLarge ? 'payload-too-large' : 'topic-too-long'
    metrics.refused(reason)
    logger.error(
      { reason, topic: topic.slice(0, limits.topicLength) },
      'Only the beginning of a message is kept',
    )
    taker.take({
      ...delivery,
      topic: topic.slice(0, limits.topicLength),
      payload: payload.subarray(0, limits.cutPayloadBytes),
    })
  }

  const take = (packet: Packet): void => {
    const { cmd, messageId = 0 } = packet
    if (cmd === 'connack' && !isConnected) connected(packet)
    else if (!isConnected) link.close(fault('source-garbage', `The broker began with ${cmd}`))
    else if (cmd === 'publish') takeDelivery(toDelivery(packet))
    else if (cmd === 'pubrel') {
      taker.release(messageId)
      link.write(Buffer.of(0x70, 2, messageId >> 8, messageId & 255))
    } else if (cmd === 'pingresp') pings.answered()
    else if (cmd === 'suback') granted(packet)
    else if (cmd === 'unsuback') {
      if (owed.delete(messageId)) subscriptions.dropped()
    } else link.close(fault('source-garbage', `The broker sent ${cmd}`))
  }

  return {
    hold() {
      isStopping = true
      hold()
    },
    async end() {
      taker.close()
      link.end(DISCONNECT, limits.stopMs)
      await closed.promise
    },
  }
}

function toConnect({ clientId, username, password }: SourceSettings, limits: SourceLimits): Buffer {
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: false,
    clientId,
    keepalive: Math.ceil(limits.keepaliveMs / SECOND_MS),
    ...(username !== null && { username }),
    ...(password !== null && { password: Buffer.from(password) }),
  })
}

type PublishFields = Pick<IPublishPacket, 'topic' | 'payload' | 'qos' | 'dup' | 'retain' | 'messageId'>

function toDelivery({ topic, payload, qos, dup, retain, messageId }: PublishFields): Delivery {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  return { topic, payload: bytes, qos, dup, retain, id: qos > 0 ? (messageId ?? 0) : 0 }
}

/** A PUBLISH whose payload is not all there (MQTT 3.1.1, 3.3). */
function readHead({ firstByte, body }: Frame): PublishFields {
  const qos = ((firstByte >> 1) & 3) as Qos
  const topicEnd = 2 + body.readUInt16BE(0)
  const payloadAt = topicEnd + (qos > 0 ? 2 : 0)
  return {
    topic: body.toString('utf8', 2, topicEnd),
    payload: body.subarray(payloadAt),
    qos,
    dup: (firstByte & 8) !== 0,
    retain: (firstByte & 1) !== 0,
    ...(qos > 0 && { messageId: body.readUInt16BE(topicEnd) }),
  }
}
