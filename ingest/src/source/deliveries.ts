import { createHash } from 'node:crypto'
import { toAppError, type AppError } from '@pulso/model'
import type { JournalWriter, ReceiveTimes } from '@pulso/stores'
import { MESSAGE_OVERHEAD_BYTES, type SourceLimits } from './limits.ts'
import type { OneSourceMetrics } from './metrics.ts'
import type { Qos } from './options.ts'
import { DIGEST_BYTES, type Window } from './window.ts'

/** A PUBLISH of the broker. */
export interface Delivery {
  topic: string
  payload: Buffer
  qos: Qos
  /** 0 with QoS 0. */
  id: number
  dup: boolean
  retain: boolean
}

export interface DeliveriesOptions {
  /** `source/{name}` */
  credential: string
  journal: JournalWriter
  window: Window
  receiveTimes: ReceiveTimes
  limits: SourceLimits
  metrics: OneSourceMetrics
}

/** The messages of one source, over all its connections. */
export interface Deliveries {
  /** A connection's half. Earlier ones acknowledge nothing any more. */
  open(connection: DeliveryConnection): DeliveryTaker
  inFlight(): { bytes: number; messages: number }
  /** Resolves when nothing is in flight. */
  drained(): Promise<void>
}

export interface DeliveryConnection {
  /** PUBACKs and PUBRECs, of what is kept, in the order of the messages. */
  acknowledge(bytes: Buffer): void
  /** The journal could not keep: what it concerns must not be acknowledged, so that it comes again. */
  fail(error: AppError): void
  /** Something left the journal's hands: reading on may be possible again. */
  eased(): void
}

export interface DeliveryTaker {
  /** Collects a message; nothing happens with it before `hand`. */
  take(delivery: Delivery): void
  /** Hands what was collected to the journal. */
  hand(): void
  /** PUBREL: the broker knows that we have its QoS 2 message. */
  release(id: number): void
  close(): void
}

const PUBACK = 0x40
const PUBREC = 0x50

/** A message of a connection, from its PUBLISH to its acknowledgement. */
interface Open {
  id: number
  qos: Qos
  isKept: boolean
}

/** What shares the journal's promise. */
interface Group {
  entries: Entry[]
}

interface Entry {
  connection: ConnectionState
  open: Open | undefined
  bytes: number
  /** False when it came again while the first one was still on its way to the journal. */
  isFirst: boolean
  digest: Buffer
  topic: string
}

interface ConnectionState {
  handlers: DeliveryConnection | undefined
  /** In the order of arrival; an acknowledgement waits for those before it (MQTT 3.1.1, 4.6). */
  queue: Open[]
  queuedIds: Set<number>
  collected: Collected[]
}

interface Collected {
  delivery: Delivery
  digest: Buffer
  receivedAtMs: number
  open: Open | undefined
  /** An earlier connection has handed it to the journal already. */
  underWay: Promise<void> | undefined
}

export function createDeliveries(options: DeliveriesOptions): Deliveries {
  const { credential, journal, window, receiveTimes, limits, metrics } = options
  /** The newest kept message of each topic, as 48 bits of its digest. */
  const newest = new Map<string, number>()
  /** By packet id, while the journal has not answered. */
  const pending = new Map<number, Promise<void>>()
  const waiting: (() => void)[] = []
  let latest: { kept: Promise<void>; group: Group } | undefined
  let bytes = 0
  let messages = 0

  const drain = (connection: ConnectionState): void => {
    const { handlers, queue, queuedIds } = connection
    if (!handlers) return
    let count = 0
    while (queue[count]?.isKept) count++
    if (count === 0) return
    const done = queue.splice(0, count)
    const acknowledgements = Buffer.allocUnsafe(count * 4)
    done.forEach(({ id, qos }, index) => {
      acknowledgements.writeUInt16BE(((qos === 2 ? PUBREC : PUBACK) << 8) | 2, index * 4)
      acknowledgements.writeUInt16BE(id, index * 4 + 2)
      queuedIds.delete(id)
      if (qos === 1) window.acknowledged(id)
    })
    handlers.acknowledge(acknowledgements)
  }

  const remember = (topic: string, digest: Buffer): void => {
    newest.delete(topic)
    newest.set(topic, digest.readUIntBE(0, 6))
    if (newest.size <= limits.rememberedTopics) return
    const [oldest] = newest.keys()
    if (oldest !== undefined) newest.delete(oldest)
  }

  const settle = (kept: Promise<void>, group: Group, error?: AppError): void => {
    if (latest?.group === group) latest = undefined
    const connections = new Set<ConnectionState>()
    let own = 0
    for (const entry of group.entries) {
      bytes -= entry.bytes
      connections.add(entry.connection)
      const { open } = entry
      if (open && pending.get(open.id) === kept) pending.delete(open.id)
      if (entry.isFirst) own++
      if (error) {
        // Nobody sends it again.
        if (!open) metrics.refused('journal-failed')
        continue
      }
      if (entry.isFirst) remember(entry.topic, entry.digest)
      if (!open) continue
      open.isKept = true
      window.markKept(open.id, entry.digest)
    }
    messages -= own
    if (!error) metrics.kept(own)
    for (const connection of connections) {
      if (error) connection.handlers?.fail(error)
      else drain(connection)
      connection.handlers?.eased()
    }
    if (messages === 0) for (const resolve of waiting.splice(0)) resolve()
  }

  /** One reaction for all that share the journal's promise. */
  const follow = (kept: Promise<void>, entry: Entry): void => {
    if (latest?.kept !== kept) {
      const group: Group = { entries: [] }
      latest = { kept, group }
      kept.then(
        () => settle(kept, group),
        (thrown: unknown) => settle(kept, group, toAppError(thrown, 'journal-failed')),
      )
    }
    latest.group.entries.push(entry)
  }

  const take = (connection: ConnectionState, delivery: Delivery): void => {
    const { topic, payload, qos, id, dup, retain } = delivery
    const digest = digestOf(topic, payload)
    const open: Open | undefined = qos > 0 ? { id, qos, isKept: false } : undefined
    const known = dup && open ? window.find(id, digest) : undefined
    // What is retained comes again with every SUBSCRIBE.
    const isRetainedCopy = retain && newest.get(topic) === digest.readUIntBE(0, 6)
    if (isRetainedCopy || known?.isKept) {
      metrics.repeated()
      if (open) enqueue(connection, { ...open, isKept: true })
      return
    }
    // Sent twice over one connection: the first one's answer is on its way.
    if (known && connection.queuedIds.has(id)) return
    if (connection.collected.length === 0) receiveTimes.begin()
    const receivedAtMs = known?.receivedAtMs ?? receiveTimes.assign(topic, payload)
    if (open && !known) window.remember(id, { digest, receivedAtMs, untilMs: receiveTimes.untilMs })
    if (open) enqueue(connection, open)
    connection.collected.push({ delivery, digest, receivedAtMs, open, underWay: known && pending.get(id) })
  }

  const hand = (connection: ConnectionState): void => {
    if (!connection.handlers) return
    const collected = connection.collected
    connection.collected = []
    window.flush()
    for (const { delivery, digest, receivedAtMs, open, underWay } of collected) {
      const { topic, payload, id } = delivery
      const kept = underWay ?? journal.append({ topic, payload, credential, receivedAtMs })
      if (open) pending.set(id, kept)
      if (underWay) metrics.repeated()
      const weight = underWay ? 0 : payload.length + MESSAGE_OVERHEAD_BYTES
      bytes += weight
      if (!underWay) messages++
      follow(kept, { connection, open, bytes: weight, isFirst: !underWay, digest, topic })
    }
    drain(connection)
  }

  return {
    open(handlers) {
      const connection: ConnectionState = { handlers, queue: [], queuedIds: new Set(), collected: [] }
      window.carryOver()
      return {
        take: (delivery) => take(connection, delivery),
        hand: () => hand(connection),
        release: (id) => window.forget(id),
        close() {
          connection.handlers = undefined
          connection.collected = []
        },
      }
    },
    inFlight: () => ({ bytes, messages }),
    drained: () => (messages === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  }
}

function enqueue({ queue, queuedIds }: ConnectionState, open: Open): void {
  queue.push(open)
  queuedIds.add(open.id)
}

function digestOf(topic: string, payload: Buffer): Buffer {
  return createHash('sha256').update(topic).update('\0').update(payload).digest().subarray(0, DIGEST_BYTES)
}
