import { connect, type Socket } from 'node:net'
import { generate, parser, type Packet } from 'mqtt-packet'
import type { Message } from './message.ts'
import type { Random } from './random.ts'

export interface ConnectionOptions {
  clientId: string
  username: string
  password: string
  random: Random
  /** Messages in flight at most. */
  window: number
  onSent: (message: Message) => void
  onAcknowledged: (message: Message) => void
}

/**
 * One device on a raw socket, as a careful one behaves: it keeps what is not acknowledged, comes back after each loss of
 * its connection, and sends that again in order, marked as a repetition.
 */
export interface Connection {
  /** From now on it connects to this port, again and again. */
  open(port: number): void
  isReady(): boolean
  publish(message: Message): void
  inFlight(): number
  /** Loses the connection together with the acknowledgements that are on their way. */
  cut(): void
  stop(): void
}

interface InFlight {
  message: Message
  /** QoS 2: its PUBREC has come, so it is kept; what is missing is the PUBCOMP. */
  isReceived: boolean
}

const RETRY_MS = { least: 20, most: 150 }
const CONNECT_LIMIT_MS = 15_000
/** The broker allows 100; a device that has more open is disconnected. */
const MAX_QOS2_IN_FLIGHT = 50

export function createConnection(options: ConnectionOptions): Connection {
  const { random, window, onSent, onAcknowledged } = options
  const inFlight = new Map<number, InFlight>()
  let port: number | undefined
  let socket: Socket | undefined
  let isConnected = false
  let isStopped = false
  let lastId = 0
  let qos2InFlight = 0

  const send = (packet: Packet): void => void socket?.write(generate(packet))

  const sendMessage = (messageId: number, message: Message): void => {
    const { topic, payload, qos } = message
    send({ cmd: 'publish', topic, payload, qos, messageId, dup: message.sends > 0, retain: false })
    onSent(message)
  }

  const nextId = (): number => {
    do lastId = (lastId % 65_535) + 1
    while (inFlight.has(lastId))
    return lastId
  }

  const forget = (messageId: number): void => {
    if (inFlight.get(messageId)?.message.qos === 2) qos2InFlight--
    inFlight.delete(messageId)
  }

  const take = (packet: Packet): void => {
    const messageId = packet.messageId ?? 0
    const known = inFlight.get(messageId)
    if (packet.cmd === 'connack' && packet.returnCode === 0) {
      isConnected = true
      for (const [id, { message, isReceived }] of inFlight) {
        if (isReceived) send({ cmd: 'pubrel', messageId: id })
        else sendMessage(id, message)
      }
    } else if (packet.cmd === 'puback' && known?.message.qos === 1) {
      forget(messageId)
      onAcknowledged(known.message)
    } else if (packet.cmd === 'pubrec' && known?.message.qos === 2) {
      if (!known.isReceived) onAcknowledged(known.message)
      known.isReceived = true
      send({ cmd: 'pubrel', messageId })
    } else if (packet.cmd === 'pubcomp' && known?.isReceived) forget(messageId)
  }

  const connectAgain = (): void => {
    if (isStopped || port === undefined || socket) return
    const opened = connect({ port, host: '127.0.0.1', noDelay: true })
    socket = opened
    const incoming = parser({ protocolVersion: 4 })
    incoming.on('packet', (packet: Packet) => {
      // What a cut connection still brings is lost, as the device never sees it.
      if (socket === opened) take(packet)
    })
    opened.on('data', (chunk: Buffer) => void incoming.parse(chunk))
    opened.setTimeout(CONNECT_LIMIT_MS, () => {
      if (!isConnected) opened.destroy()
    })
    opened.on('error', () => undefined)
    opened.on('close', () => lose(opened))
    const { clientId, username, password } = options
    opened.once('connect', () => {
      const credential = { username, password: Buffer.from(password) }
      send({ cmd: 'connect', clientId, clean: false, keepalive: 3_600, protocolVersion: 4, ...credential })
    })
  }

  const lose = (lost: Socket): void => {
    if (socket !== lost) return
    socket = undefined
    isConnected = false
    if (!isStopped) setTimeout(connectAgain, random.between(RETRY_MS.least, RETRY_MS.most))
  }

  return {
    open(next) {
      port = next
      connectAgain()
    },
    isReady: () =>
      isConnected &&
      inFlight.size < window &&
      qos2InFlight < MAX_QOS2_IN_FLIGHT &&
      !socket?.writableNeedDrain,
    publish(message) {
      if (message.qos === 0) {
        sendMessage(0, message)
        return
      }
      const messageId = nextId()
      if (message.qos === 2) qos2InFlight++
      inFlight.set(messageId, { message, isReceived: false })
      sendMessage(messageId, message)
    },
    inFlight: () => inFlight.size,
    cut() {
      const lost = socket
      if (!lost) return
      lost.destroy()
      lose(lost)
    },
    stop() {
      isStopped = true
      socket?.destroy()
      socket = undefined
    },
  }
}
