import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { toAppError, type AppError } from '@pulso/model'
import { parser, type Packet } from 'mqtt-packet'
import { fault, toSocketFault } from './faults.ts'
import { createFramer, type Frame } from './framer.ts'
import type { SourceSettings } from './options.ts'

/** Before the CONNACK a broker has nothing long to say. */
const FIRST_LIMIT_BYTES = 1_024
/** Enough for the longest topic there can be, and a piece of the payload. */
const HEAD_BYTES = 65_535 + 1_024 + 4
const PUBLISH = 3

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883 }

export interface LinkHandlers {
  onConnect(): void
  onPacket(packet: Packet): void
  /** A PUBLISH above the limit: its beginning. */
  onOversized(frame: Frame): void
  /** The packets of what the socket brought at once have all been given. */
  onPause(): void
  /** Called once, also when it never connected. */
  onClose(error: AppError): void
}

/** A connection that speaks packets. */
export interface Link {
  write(bytes: Uint8Array): void
  setLimit(limitBytes: number): void
  /** While held nothing is read, and TCP holds the broker back. */
  setHeld(held: boolean): void
  isHeld(): boolean
  unsentBytes(): number
  close(error: AppError): void
  /** Sends what is waiting and waits for the broker to close, at most for this long. What still comes is left unread. */
  end(last: Uint8Array, limitMs: number): void
}

export function openLink(settings: Pick<SourceSettings, 'url' | 'tls'>, handlers: LinkHandlers): Link {
  const socket = openSocket(settings, () => {
    try {
      handlers.onConnect()
    } catch (error) {
      close(toAppError(error, 'source-failed'))
    }
  })
  const framer = createFramer({
    limitBytes: FIRST_LIMIT_BYTES,
    headBytes: (firstByte) => (firstByte >> 4 === PUBLISH ? HEAD_BYTES : 0),
  })
  const packets = parser({ protocolVersion: 4 })
  let limitBytes = FIRST_LIMIT_BYTES
  let reason: AppError | undefined
  let held = false
  let isEnding = false
  const isOver = (): boolean => isEnding || reason !== undefined

  const close = (error: AppError): void => {
    reason ??= error
    socket.destroy()
  }
  const garbage = (what: string): void =>
    close(fault('source-garbage', `The broker sent what is not MQTT: ${what}`))

  packets.on('packet', (packet) => {
    if (!isOver()) handlers.onPacket(packet)
  })
  packets.on('error', (error: Error) => garbage(error.message))

  const takeFrame = (frame: Frame): boolean => {
    const { firstByte, body, lengthBytes } = frame
    if (lengthBytes > limitBytes) {
      if (firstByte >> 4 === PUBLISH) handlers.onOversized(frame)
      else garbage(`a packet of ${lengthBytes} bytes`)
    } else {
      packets.parse(toHeader(frame))
      if (body.length > 0) packets.parse(body)
    }
    return !isOver()
  }

  socket.on('data', (chunk: Buffer) => {
    if (isOver()) return
    try {
      if (!framer.take(chunk, takeFrame) && !isOver()) garbage('a length of more than four bytes')
      if (!isOver()) handlers.onPause()
    } catch (error) {
      close(toAppError(error, 'source-failed'))
    }
  })
  socket.on('error', (error) => (reason ??= toSocketFault(error)))
  socket.on('end', () => socket.destroy())
  socket.on('close', () => {
    reason ??= fault('source-closed', 'The broker closed the connection')
    handlers.onClose(reason)
  })

  return {
    write(bytes) {
      if (!socket.destroyed && socket.writable) socket.write(bytes)
    },
    setLimit(next) {
      limitBytes = next
      framer.setLimit(next)
    },
    setHeld(next) {
      if (next === held) return
      held = next
      if (held) socket.pause()
      else socket.resume()
    },
    isHeld: () => held,
    unsentBytes: () => socket.writableLength,
    close,
    end(last, limitMs) {
      isEnding = true
      // What is unread when a socket closes makes the system drop what was sent last.
      socket.resume()
      socket.end(last)
      setTimeout(() => socket.destroy(), limitMs).unref()
    },
  }
}

function openSocket({ url, tls }: Pick<SourceSettings, 'url' | 'tls'>, onConnect: () => void): Socket {
  const { protocol, hostname, port } = new URL(url)
  // An IPv6 address stands in brackets in a URL.
  const host = hostname.replace(/^\[|\]$/g, '')
  const address = { host, port: port === '' ? (DEFAULT_PORTS[protocol] ?? 1883) : Number(port) }
  if (protocol !== 'mqtts:') return connect({ ...address, noDelay: true }, onConnect)
  const { ca, cert, key } = tls
  return connectTls(
    {
      ...address,
      ...(isIP(host) === 0 && { servername: host }),
      ...(ca !== null && { ca }),
      ...(cert !== null && { cert }),
      ...(key !== null && { key }),
    },
    onConnect,
  ).setNoDelay(true)
}

/** The packet's first bytes, as the parser wants to see them. */
function toHeader({ firstByte, lengthBytes }: Frame): Buffer {
  const bytes = [firstByte]
  let rest = lengthBytes
  do {
    bytes.push((rest & 127) | (rest > 127 ? 128 : 0))
    rest >>>= 7
  } while (rest > 0)
  return Buffer.from(bytes)
}
