import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { generate, parser, type IPublishPacket, type Packet, type PacketCmd } from 'mqtt-packet'

/** A broker that does what the test says and nothing else. */
export interface FakeBroker {
  url: string
  /** The next connection, without an answer to its CONNECT. */
  connection(): Promise<BrokerConnection>
  /** The next connection, let in and with its topics granted. */
  session(options?: { sessionPresent?: boolean }): Promise<BrokerConnection>
}

export interface BrokerConnection {
  socket: Socket
  /** The next packet of this type; packets of other types are passed over. */
  next<C extends PacketCmd>(cmd: C): Promise<Extract<Packet, { cmd: C }>>
  /** The packets of this type that have come and were not asked for. */
  pending(cmd: PacketCmd): Packet[]
  send(...packets: Packet[]): void
  publish(fields: PublishFields): void
  /** After this, everything sent before has been taken by the source. */
  closed(): Promise<void>
  destroy(): void
}

export interface PublishFields {
  id?: number
  topic?: string
  payload?: string | Buffer
  qos?: 0 | 1 | 2
  dup?: boolean
  retain?: boolean
}

export async function startFakeBroker(context: TestContext): Promise<FakeBroker> {
  const connections: BrokerConnection[] = []
  const sockets = new Set<Socket>()
  const waiting: (() => void)[] = []
  const server = createServer((socket) => {
    sockets.add(socket)
    connections.push(toConnection(socket))
    for (const look of waiting.splice(0)) look()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0

  const connection = async (): Promise<BrokerConnection> => {
    for (;;) {
      const next = connections.shift()
      if (next) return next
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
  }
  return {
    url: `mqtt://127.0.0.1:${port}`,
    connection,
    async session({ sessionPresent = false } = {}) {
      const next = await connection()
      await next.next('connect')
      next.send({ cmd: 'connack', returnCode: 0, sessionPresent })
      const { messageId, subscriptions } = await next.next('subscribe')
      next.send({ cmd: 'suback', messageId: messageId ?? 0, granted: subscriptions.map(({ qos }) => qos) })
      return next
    },
  }
}

function toConnection(socket: Socket): BrokerConnection {
  const arrived: Packet[] = []
  const waiting: (() => void)[] = []
  const packets = parser({ protocolVersion: 4 })
  const look = (): void => {
    for (const resolve of waiting.splice(0)) resolve()
  }
  let isClosed = false
  packets.on('packet', (packet) => {
    arrived.push(packet)
    look()
  })
  socket.on('data', (chunk: Buffer) => void packets.parse(chunk))
  socket.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => {
    socket.on('close', () => {
      isClosed = true
      look()
      resolve()
    })
  })
  return {
    socket,
    async next<C extends PacketCmd>(cmd: C) {
      for (;;) {
        const index = arrived.findIndex((packet) => packet.cmd === cmd)
        const [packet] = index === -1 ? [] : arrived.splice(index, 1)
        if (packet) return packet as Extract<Packet, { cmd: C }>
        if (isClosed) throw new Error(`closed before ${cmd}`)
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
    pending: (cmd) => arrived.filter((packet) => packet.cmd === cmd),
    send: (...list) => void socket.write(Buffer.concat(list.map((packet) => generate(packet)))),
    publish: (fields) => void socket.write(generate(toPublish(fields))),
    closed: () => ended,
    destroy: () => void socket.destroy(),
  }
}

export function toPublish(fields: PublishFields): IPublishPacket {
  const { id = 1, topic = 'pulso/parking/bay/telemetry', payload = '{}', qos = 1 } = fields
  const { dup = false, retain = false } = fields
  return { cmd: 'publish', topic, payload, qos, dup, retain, ...(qos > 0 && { messageId: id }) }
}
