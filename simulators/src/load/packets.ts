import { generate } from 'mqtt-packet'

/** The digits of a time in ms, from 2001 to 2286. */
const TIME_DIGITS = 13
const DIGIT_ZERO = 0x30
const MAX_PACKET_ID = 0xffff

/**
 * The packets that one connection sends again and again: encoded once, and before each use given their packet ids and
 * times in place, so that encoding is not what a measurement measures.
 */
export interface PacketRing {
  readonly count: number
  /** Bytes of `count` packets from `first` on; it does not go round the end. */
  slice(first: number, count: number): Uint8Array
  /** Writes a packet's id and time. */
  stamp(index: number, packetId: number, timeMs: number): void
}

export interface PacketRingOptions {
  topics: readonly string[]
  /** Metrics as JSON without its braces: `"status":"free"`. */
  metrics: string
  /** At least this many packets. */
  minCount: number
}

export function createPacketRing({ topics, metrics, minCount }: PacketRingOptions): PacketRing {
  const rounds = Math.max(1, Math.ceil(minCount / topics.length))
  const payload = `{"time":${'0'.repeat(TIME_DIGITS)},${metrics}}`
  const encoded = topics.map((topic) =>
    generate({ cmd: 'publish', topic, payload, qos: 1, messageId: 1, dup: false, retain: false }),
  )
  const starts: number[] = []
  const idsAt: number[] = []
  const timesAt: number[] = []
  let end = 0
  for (let round = 0; round < rounds; round++) {
    for (const packet of encoded) {
      const payloadAt = end + packet.length - payload.length
      starts.push(end)
      idsAt.push(payloadAt - 2)
      timesAt.push(payloadAt + '{"time":'.length)
      end += packet.length
    }
  }
  starts.push(end)
  const ring = Buffer.alloc(end)
  for (let round = 0, at = 0; round < rounds; round++) {
    for (const packet of encoded) at += packet.copy(ring, at)
  }
  return {
    count: rounds * encoded.length,
    slice: (first, count) => ring.subarray(starts[first], starts[first + count]),
    stamp(index, packetId, timeMs) {
      const idAt = idsAt[index] ?? 0
      ring[idAt] = packetId >>> 8
      ring[idAt + 1] = packetId & 0xff
      const timeAt = timesAt[index] ?? 0
      let rest = timeMs
      for (let digit = TIME_DIGITS - 1; digit >= 0; digit--) {
        const tenth = Math.floor(rest / 10)
        ring[timeAt + digit] = DIGIT_ZERO + rest - tenth * 10
        rest = tenth
      }
    },
  }
}

/** 1 to 65,535, round and round: 0 is no packet id (MQTT 3.1.1, 2.3.1). */
export function nextPacketId(packetId: number): number {
  return packetId === MAX_PACKET_ID ? 1 : packetId + 1
}

export function encodeConnect(options: { clientId: string; username: string; password: string }): Uint8Array {
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    keepalive: 0,
    ...options,
    password: Buffer.from(options.password),
  })
}
