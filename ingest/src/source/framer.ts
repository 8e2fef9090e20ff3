/** One packet of the stream: its type byte, and its body, or the body's beginning when it is above the bound. */
export interface Frame {
  firstByte: number
  /** A view of the chunk where it lies in one. */
  body: Buffer
  /** The body's announced length. */
  lengthBytes: number
}

export interface FramerOptions {
  /** Bodies above this are not collected. */
  limitBytes: number
  /** How much of the beginning of those is given, by their first byte; the rest is passed over as it comes. */
  headBytes: (firstByte: number) => number
}

export interface Framer {
  /** From the next packet on. */
  setLimit(limitBytes: number): void
  /**
   * Gives the packets that end in this chunk. Stops for good when `onFrame` says `false`.
   * @returns false when the stream is not MQTT: a length of more than four bytes (MQTT 3.1.1, 2.2.3)
   */
  take(chunk: Buffer, onFrame: (frame: Frame) => boolean): boolean
}

const LONGEST_FACTOR = 128 ** 3

/** Cuts a stream into packets. No more than a bounded packet is ever held, whatever length is announced. */
export function createFramer({ limitBytes: firstLimitBytes, headBytes }: FramerOptions): Framer {
  let limitBytes = firstLimitBytes
  let firstByte = 0
  let lengthBytes = 0
  /** What the next length byte counts for; 0 while a type byte is expected. */
  let factor = 0
  /** Of the body, still to be collected; -1 while its length is not known. */
  let wantedBytes = -1
  let parts: Buffer[] = []
  let skipBytes = 0

  const endOfHeader = (): void => {
    factor = 0
    wantedBytes = lengthBytes > limitBytes ? Math.min(lengthBytes, headBytes(firstByte)) : lengthBytes
    skipBytes = lengthBytes - wantedBytes
  }

  const endOfBody = (onFrame: (frame: Frame) => boolean): boolean => {
    const [only] = parts
    const body = parts.length === 1 && only ? only : Buffer.concat(parts)
    parts = []
    wantedBytes = -1
    return onFrame({ firstByte, body, lengthBytes })
  }

  return {
    setLimit(next) {
      limitBytes = next
    },
    take(chunk, onFrame) {
      let offset = 0
      while (offset < chunk.length || wantedBytes === 0) {
        if (wantedBytes >= 0) {
          const part = chunk.subarray(offset, offset + wantedBytes)
          offset += part.length
          wantedBytes -= part.length
          if (part.length > 0) parts.push(part)
          if (wantedBytes === 0 && !endOfBody(onFrame)) return true
        } else if (skipBytes > 0) {
          const skipped = Math.min(skipBytes, chunk.length - offset)
          skipBytes -= skipped
          offset += skipped
        } else {
          const byte = chunk[offset++] ?? 0
          if (factor === 0) {
            firstByte = byte
            lengthBytes = 0
            factor = 1
            continue
          }
          lengthBytes += (byte & 127) * factor
          if ((byte & 128) === 0) endOfHeader()
          else if (factor === LONGEST_FACTOR) return false
          else factor *= 128
        }
      }
      return true
    },
  }
}
