/** Why a stream cannot go on: a packet announces more bytes than allowed, or its length is not MQTT's. */
export type MeterVerdict = { reason: 'packet-too-large'; bytes: number } | { reason: 'malformed-length' }

export interface PacketMeter {
  /** Remaining length allowed from the next packet on. */
  setLimit(limitBytes: number): void
  /**
   * Goes through a chunk's packet headers and stops before the packet that is one too many, or that begins when `bytes`
   * have been taken.
   * @returns the bytes gone through, -1 when something is wrong
   */
  take(chunk: Uint8Array, messages?: number, bytes?: number): number
  /** Packets begun in the last `take`; acknowledgements do not count. */
  messages(): number
  /** What is wrong, after -1. */
  verdict(): MeterVerdict | undefined
  /** Whether the next byte begins a packet. */
  isBetweenPackets(): boolean
}

/** PUBACK, PUBREC, PUBREL and PUBCOMP: they belong to a message that has been counted. */
const [FIRST_ACKNOWLEDGEMENT, LAST_ACKNOWLEDGEMENT] = [0x40, 0x7f]

/** Follows the packets of one stream: a type byte, 1 to 4 bytes of length (MQTT 3.1.1, 2.2.3), then that many bytes. */
export function createPacketMeter(firstLimitBytes: number): PacketMeter {
  let limitBytes = firstLimitBytes
  let skipBytes = 0
  let lengthBytes = 0
  /** What the next length byte counts for; 0 while a type byte is expected. */
  let factor = 0
  let begun = 0
  let wrong: MeterVerdict | undefined

  /** One byte of a packet's header. @returns false when something is wrong */
  const takeLength = (byte: number): boolean => {
    lengthBytes += (byte & 127) * factor
    if (lengthBytes > limitBytes) {
      wrong = { reason: 'packet-too-large', bytes: lengthBytes }
      return false
    }
    factor *= 128
    if ((byte & 128) === 0) {
      skipBytes = lengthBytes
      factor = 0
    } else if (factor > 128 ** 3) {
      wrong = { reason: 'malformed-length' }
      return false
    }
    return true
  }

  return {
    setLimit: (next) => {
      limitBytes = next
    },
    take(chunk, messages = Infinity, bytes = Infinity) {
      let offset = 0
      begun = 0
      while (offset < chunk.length) {
        if (skipBytes > 0) {
          const skipped = Math.min(skipBytes, chunk.length - offset)
          skipBytes -= skipped
          offset += skipped
          continue
        }
        const byte = chunk[offset] ?? 0
        if (factor > 0) {
          if (!takeLength(byte)) return -1
        } else {
          if (begun >= messages || offset >= bytes) return offset
          if (byte < FIRST_ACKNOWLEDGEMENT || byte > LAST_ACKNOWLEDGEMENT) begun++
          factor = 1
          lengthBytes = 0
        }
        offset++
      }
      return offset
    },
    messages: () => begun,
    verdict: () => wrong,
    isBetweenPackets: () => skipBytes === 0 && factor === 0,
  }
}
