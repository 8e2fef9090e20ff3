import { Readable } from 'node:stream'
import type { ReceivedIds } from './received-ids.ts'

/** What Aedes gives its persistence to tell clients and packets apart. */
interface PacketOfClient {
  messageId?: number
}

/**
 * Aedes' persistence, holding nothing without bound. Every session ends with its connection (`sessionPresent` is 0 and
 * clients subscribe again), nobody may subscribe to what sensors send, so there are no subscriptions, queues or
 * retained messages to keep; what a sensor last said is ingest's to know. All there is are the open QoS 2 messages.
 * With Aedes' own in-memory store each of these grows as a client likes.
 */
export function createSessionStore(receivedIdsOf: (client: object) => ReceivedIds | undefined) {
  const nothing = Promise.resolve()
  const noSubscriptions: Promise<never[]> = Promise.resolve([])
  const done = (): Promise<void> => nothing
  const none = (): Promise<never[]> => noSubscriptions
  const empty = (): Readable => Readable.from([])

  return {
    // Aedes insists on a function declared async.
    async setup(): Promise<void> {
      return nothing
    },
    destroy: done,
    storeRetained: done,
    createRetainedStreamCombi: empty,
    createRetainedStream: empty,
    addSubscriptions: done,
    removeSubscriptions: done,
    cleanSubscriptions: done,
    subscriptionsByClient: none,
    subscriptionsByTopic: none,
    outgoingEnqueue: done,
    outgoingEnqueueCombi: done,
    outgoingUpdate: done,
    outgoingClearMessageId: done,
    outgoingStream: empty,
    putWill: done,
    delWill: done,
    streamWill: empty,
    cleanIncoming: done,
    incomingStorePacket: done,
    /** Found means: kept already. Aedes then answers PUBREC at once, or PUBCOMP and lets go of the id. */
    async incomingGetPacket(client: object, packet: PacketOfClient): Promise<PacketOfClient> {
      const found = packet.messageId !== undefined && receivedIdsOf(client)?.has(packet.messageId)
      if (!found) throw new Error('no such packet')
      return packet
    },
    async incomingDelPacket(client: object, packet: PacketOfClient): Promise<void> {
      if (packet.messageId !== undefined) receivedIdsOf(client)?.delete(packet.messageId)
    },
  }
}
