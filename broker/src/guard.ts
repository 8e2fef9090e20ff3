import type { Socket } from 'node:net'

/** Why a stream cannot go on: a packet announces more bytes than allowed, or its length is not MQTT's. */
export type GuardVerdict = { reason: 'packet-too-large'; bytes: number } | { reason: 'malformed-length' }

export interface GuardOptions {
  /** Remaining length allowed at first. */
  limitBytes: number
  /** False while the connection has enough in flight: nothing is read, TCP holds the sender back. */
  mayRead: () => boolean
  /** Called once; the socket is destroyed afterwards. */
  onRefused: (verdict: GuardVerdict) => void
}

export interface Guard {
  /** From the next packet on, this remaining length is allowed. */
  setLimit(limitBytes: number): void
  /** Takes up reading again where `mayRead` said no before. */
  resume(): void
}

/**
 * Looks at each packet's announced length before Aedes' parser buffers for it: Aedes bounds no packet, so 200 MB would
 * be collected for one. The socket's own `read` is wrapped instead of piping through a second stream, because a stream
 * costs more per chunk than all of this.
 */
export function guardSocket(socket: Socket, options: GuardOptions): Guard {
  const readOn = socket.read.bind(socket) as (size?: number) => Buffer | null
  const meter = createPacketMeter(options.limitBytes)
  let held = false
  socket.read = (size?: number): Buffer | null => {
    // Node itself calls read(0) to fill its bounded buffer; no bytes leave by it.
    if (size !== 0 && !options.mayRead()) {
      held = true
      return null
    }
    const chunk = readOn(size)
    if (chunk === null) return null
    const verdict = meter.take(chunk)
    if (!verdict) return chunk
    options.onRefused(verdict)
    socket.destroy()
    return null
  }
  return {
    setLimit: meter.setLimit,
    resume() {
      if (!held) return
      held = false
      socket.emit('readable')
    },
  }
}

interface PacketMeter {
  setLimit: (limitBytes: number) => void
  /** Goes through a chunk's packet headers; what it gives is the first thing wrong. */
  take(chunk: Uint8Array): GuardVerdict | undefined
}

/** Follows the packets of one stream: a type byte, 1 to 4 bytes of length (MQTT 3.1.1, 2.2.3), then that many bytes. */
export function createPacketMeter(firstLimitBytes: number): PacketMeter {
  let limitBytes = firstLimitBytes
  let skipBytes = 0
  let lengthBytes = 0
  /** What the next length byte counts for; 0 while a type byte is expected. */
  let factor = 0
  return {
    setLimit: (next) => {
      limitBytes = next
    },
    take(chunk) {
      let offset = 0
      while (offset < chunk.length) {
        if (skipBytes > 0) {
          const skipped = Math.min(skipBytes, chunk.length - offset)
          skipBytes -= skipped
          offset += skipped
          continue
        }
        const byte = chunk[offset++] ?? 0
        if (factor === 0) {
          factor = 1
          lengthBytes = 0
          continue
        }
        lengthBytes += (byte & 127) * factor
        if (lengthBytes > limitBytes) return { reason: 'packet-too-large', bytes: lengthBytes }
        factor *= 128
        if ((byte & 128) === 0) {
          skipBytes = lengthBytes
          factor = 0
        } else if (factor > 128 ** 3) return { reason: 'malformed-length' }
      }
      return undefined
    },
  }
}
