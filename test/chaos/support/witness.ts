import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { parser, type Packet } from 'mqtt-packet'
import type { Message } from './message.ts'

/**
 * Stands between the city's broker and our source and looks on: what the source acknowledges there is what it has
 * promised to keep, whatever becomes of the broker.
 */
export interface Witness {
  port: number
  /** A device has published it to the broker. */
  published(message: Message): void
  /** Deliveries so far, to see when there are no more. */
  delivered(): number
  /** Published and not acknowledged by the source. */
  waiting(): number
  /** Waits no longer for what the broker has lost. @returns how many messages that is */
  giveUp(): number
  close(): Promise<void>
}

export async function createWitness(options: {
  brokerPort: number
  /** Once for each message. */
  onAcknowledged: (message: Message) => void
}): Promise<Witness> {
  const { brokerPort, onAcknowledged } = options
  const waiting = new Map<string, Message>()
  const sockets = new Set<Socket>()
  let delivered = 0

  const server = createServer({ noDelay: true }, (source) => {
    const broker = connect({ port: brokerPort, host: '127.0.0.1', noDelay: true })
    const inFlight = new Map<number, string>()
    const down = parser({ protocolVersion: 4 })
    const up = parser({ protocolVersion: 4 })
    down.on('packet', (packet: Packet) => {
      if (packet.cmd !== 'publish') return
      delivered++
      inFlight.set(packet.messageId ?? 0, toKey(packet.topic, packet.payload.toString()))
    })
    up.on('packet', (packet: Packet) => {
      if (packet.cmd !== 'puback' && packet.cmd !== 'pubrec') return
      const key = inFlight.get(packet.messageId ?? 0) ?? ''
      const message = waiting.get(key)
      if (!message) return
      waiting.delete(key)
      onAcknowledged(message)
    })
    join(source, broker, (chunk) => void up.parse(chunk))
    join(broker, source, (chunk) => void down.parse(chunk))
    for (const socket of [source, broker]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    published: (message) => void waiting.set(toKey(message.topic, message.payload), message),
    delivered: () => delivered,
    waiting: () => waiting.size,
    giveUp() {
      const { size } = waiting
      waiting.clear()
      return size
    },
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

function join(from: Socket, to: Socket, look: (chunk: Buffer) => void): void {
  from.on('data', (chunk: Buffer) => {
    // Before it goes on: the witness must have seen what the other side may act upon.
    look(chunk)
    if (!to.write(chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.on('error', () => undefined)
  from.on('close', () => to.destroy())
}

function toKey(topic: string, payload: string): string {
  return `${topic} ${payload}`
}
