import type { Duplex } from 'node:stream'
import type { CredentialScope } from '@pulso/stores'
import type { Client, Connection as AedesStream } from 'aedes'
import type { Ticket } from './gate.ts'
import type { Guard } from './guard.ts'
import type { Flow } from './intake.ts'
import type { ReceivedIds } from './received-ids.ts'

/** What a CONNECT asked for, before anyone knows whether it may. */
export interface ConnectRequest {
  clientIdLength: number
  keepaliveMs: number
  clean: boolean
  willTopic: string | undefined
}

/** Who speaks on a connection. */
export interface Session {
  username: string
  scope: CredentialScope
  clean: boolean
  receivedIds: ReceivedIds
  subscriptions: Set<string>
  /** The topic that was last found allowed, and the one it is kept under: devices stay with one. */
  allowedTopic: string | undefined
  /** The same as it comes over the line. */
  allowedBytes: Buffer | undefined
  keptTopic: string
}

/** A stream of MQTT, whatever it came over. */
export interface Arrival {
  stream: Duplex
  ticket: Ticket
  /** The common name of a client certificate that was verified. */
  certificateName: string | undefined
}

export interface Connection extends Arrival, Flow {
  guard: Guard
  address: string
  client: Client | undefined
  request: ConnectRequest | undefined
  /** What the client promised to be heard within, bounded; 0 before it is admitted. */
  keepaliveMs: number
  /** When the last look found that something had come, on the clock of `performance.now()`. */
  heardAtMs: number
  session: Session | undefined
}

export interface Connections extends Iterable<Connection> {
  add(connection: Connection): void
  remove(connection: Connection): void
  of(client: { conn: AedesStream }): Connection | undefined
  /** Connections with a known credential. */
  known(): number
}

/** The open sockets and what is known of each. */
export function createConnections(): Connections {
  // Asked for longer than the socket is open: Aedes publishes a will after it has closed.
  const byStream = new WeakMap<AedesStream, Connection>()
  const open = new Set<Connection>()
  return {
    add(connection) {
      byStream.set(connection.stream, connection)
      open.add(connection)
    },
    remove: (connection) => void open.delete(connection),
    of: ({ conn }) => byStream.get(conn),
    known() {
      let count = 0
      for (const { session } of open) if (session) count++
      return count
    },
    [Symbol.iterator]: () => open.values(),
  }
}
