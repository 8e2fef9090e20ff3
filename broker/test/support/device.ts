import { once } from 'node:events'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'

/** The packets of MQTT 3.1.1 that a test needs, byte by byte, and a socket to send them on. */
export const PACKET = { connack: 2, puback: 4, pubrec: 5, pubcomp: 7, suback: 9, pingresp: 13 } as const
export type PacketName = keyof typeof PACKET

export interface Device {
  send(...packets: Uint8Array[]): void
  /** The next packet of this type, its type byte and length left out; packets of other types are passed over. */
  next(name: PacketName): Promise<Buffer>
  /** How many of this type have come and were not asked for. */
  pending(name: PacketName): number
  /** Resolves when the broker has ended the connection. */
  closed(): Promise<void>
  isClosed(): boolean
  /** Bytes that the system has not taken yet. */
  unsentBytes(): number
  /** Does not read on until `listen`. */
  ignore(): void
  listen(): void
  /** Nothing more is sent; what comes is still read. */
  end(): void
  close(): void
}

export async function openDevice(port: number): Promise<Device> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const device = deviceOn(socket)
  await once(socket, 'connect')
  return device
}

/** A device on a stream of any kind. */
export function deviceOn(socket: Duplex): Device {
  const arrived: { type: number; body: Buffer }[] = []
  const waiting: (() => void)[] = []
  let rest = Buffer.alloc(0)
  let closed = false
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    // Everything that the broker sends here is shorter than 128 bytes.
    while (rest.length >= 2 && rest.length >= 2 + (rest[1] ?? 0)) {
      const end = 2 + (rest[1] ?? 0)
      arrived.push({ type: (rest[0] ?? 0) >> 4, body: rest.subarray(2, end) })
      rest = rest.subarray(end)
    }
    for (const look of waiting.splice(0)) look()
  })
  socket.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => {
    socket.on('close', () => {
      closed = true
      for (const look of waiting.splice(0)) look()
      resolve()
    })
  })
  return {
    send: (...packets) => void socket.write(Buffer.concat(packets)),
    async next(name) {
      for (;;) {
        const index = arrived.findIndex(({ type }) => type === PACKET[name])
        const [packet] = index === -1 ? [] : arrived.splice(index, 1)
        if (packet) return packet.body
        if (closed) throw new Error(`closed before ${name}`)
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
    pending: (name) => arrived.filter(({ type }) => type === PACKET[name]).length,
    closed: () => ended,
    isClosed: () => closed,
    unsentBytes: () => socket.writableLength,
    ignore: () => void socket.pause(),
    listen: () => void socket.resume(),
    end: () => void socket.end(),
    close: () => void socket.destroy(),
  }
}

export interface ConnectFields {
  clientId?: string
  clean?: boolean
  username?: string
  password?: string
  will?: { topic: string; payload: string }
}

export function connectPacket(fields: ConnectFields): Buffer {
  const { clientId = 'raw', clean = true, username, password, will } = fields
  const has = (value: unknown, flag: number): number => (value === undefined ? 0 : flag)
  const flags = has(username, 0x80) | has(password, 0x40) | has(will, 0x0c) | (clean ? 0x02 : 0)
  const texts = [clientId, will?.topic, will?.payload, username, password].filter(
    (text) => text !== undefined,
  )
  return packet(0x10, text('MQTT'), Buffer.of(4, flags, 0, 60), ...texts.map(text))
}

export interface PublishFields {
  topic: string
  payload?: string | Uint8Array
  qos?: 0 | 1 | 2
  id?: number
  dup?: boolean
}

export function publishPacket({
  topic,
  payload = '{}',
  qos = 1,
  id = 1,
  dup = false,
}: PublishFields): Buffer {
  const first = 0x30 | (dup ? 0x08 : 0) | (qos << 1)
  return packet(first, text(topic), qos > 0 ? number16(id) : Buffer.alloc(0), Buffer.from(payload))
}

export const pubrelPacket = (id: number): Buffer => packet(0x62, number16(id))
export const pingPacket = (): Buffer => packet(0xc0)
export const subscribePacket = (...topics: string[]): Buffer =>
  packet(0x82, number16(1), ...topics.map((topic) => Buffer.concat([text(topic), Buffer.of(1)])))

export function packet(first: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.of(first), lengthBytes(body.length), body])
}

/** MQTT's variable length: seven bits a byte, the lowest first. */
export function lengthBytes(length: number): Buffer {
  const bytes: number[] = []
  do {
    const more = length > 127 ? 128 : 0
    bytes.push((length % 128) | more)
    length = Math.floor(length / 128)
  } while (length > 0)
  return Buffer.from(bytes)
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([number16(bytes.length), bytes])
}

function number16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 255)
}
