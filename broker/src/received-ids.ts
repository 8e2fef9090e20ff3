import { createHash } from 'node:crypto'

/** A QoS 2 message between its PUBLISH and its PUBREL. */
export interface ReceivedMessage {
  /** Settles with the journal's answer. */
  kept: Promise<void>
  digest: string
  /** The connection it came over. */
  connection: object
}

/** The open QoS 2 messages of one client by packet id (MQTT 3.1.1, 4.3.3: the receiver's half of exactly once). */
export type ReceivedIds = Map<number, ReceivedMessage>

export interface ReceivedIdsStore {
  /** A client connects: a clean session starts with nothing, any other with what its last one left open. */
  open(clientId: string, clean: boolean): ReceivedIds
  /** The connection has ended. */
  close(clientId: string, clean: boolean, ids: ReceivedIds): void
}

/** Remembers the open messages of absent clients, at most `maxSessions` of them: the longest unseen goes first. */
export function createReceivedIdsStore(maxSessions: number): ReceivedIdsStore {
  const sessions = new Map<string, ReceivedIds>()

  const remember = (clientId: string, ids: ReceivedIds): void => {
    sessions.delete(clientId)
    sessions.set(clientId, ids)
    if (sessions.size <= maxSessions) return
    const [oldest] = sessions.keys()
    if (oldest !== undefined) sessions.delete(oldest)
  }
  return {
    open(clientId, clean) {
      if (clean) {
        sessions.delete(clientId)
        return new Map()
      }
      // Kept while connected too: a client may come back before its dead connection is noticed.
      const ids = sessions.get(clientId) ?? new Map<number, ReceivedMessage>()
      remember(clientId, ids)
      return ids
    },
    close(clientId, clean, ids) {
      if (clean) return
      if (ids.size > 0) remember(clientId, ids)
      else if (sessions.get(clientId) === ids) sessions.delete(clientId)
    },
  }
}

export function digestMessage(topic: string, payload: Uint8Array): string {
  return createHash('sha256').update(topic).update('\0').update(payload).digest('base64')
}

/**
 * Whether a PUBLISH repeats an open message. On one connection the packet id alone says so. After a reconnect the
 * client may have forgotten its session and given the id to a new message, which must not be lost: there it must be
 * marked as a repetition and be the same.
 */
export function isRepetition(
  known: ReceivedMessage,
  again: { connection: object; dup: boolean; digest: string },
): boolean {
  return known.connection === again.connection || (again.dup && known.digest === again.digest)
}
