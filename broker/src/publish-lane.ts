/** A whole PUBLISH of QoS 0 or 1 inside `bytes`, which nobody writes to again: views of it may be kept. */
export interface LanePublish {
  bytes: Buffer
  topicAt: number
  topicEnd: number
  /** 0 for QoS 0. */
  packetId: number
  payloadAt: number
  end: number
}

/** @returns false when it should go the ordinary way */
export type TakePublish = (publish: LanePublish) => boolean

/** Takes the PUBLISHes out of a stream. */
export interface PublishLane {
  /**
   * @param chunk what the stream brought, from the end of the chunk before on
   * @returns what goes on to whoever else reads the stream; null when nothing is left
   */
  pass(chunk: Buffer): Buffer | null
}

const TYPE_PUBLISH = 3
/** QoS 2 and 3 have it: what they are is not the lane's to say. */
const SECOND_QOS_BIT = 0b0100
const FIRST_QOS_BIT = 0b0010
const LENGTH_BYTES = 2

/**
 * Nearly all that devices send are whole PUBLISHes of QoS 0 and 1 to a topic that has just been found allowed. They are
 * taken straight from the bytes, several times faster than by a general parser; everything else passes untouched and in
 * order: other packets, other QoS, what the taker refuses. A PUBLISH behind one that passes in the same chunk passes too,
 * so that messages stay in the order in which they were sent.
 */
export function createPublishLane(take: TakePublish): PublishLane {
  /** A PUBLISH of which the rest is still to come. Grows with what has arrived, not with what was announced. */
  let begun: Buffer | undefined
  let begunBytes = 0
  /** Bytes still to come of a packet that passes, and whether it is a PUBLISH. */
  let passBytes = 0
  let isPassingPublish = false

  const join = (chunk: Buffer): Buffer => {
    if (!begun) return chunk
    const needed = begunBytes + chunk.length
    if (needed > begun.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, begun.length * 2))
      begun.copy(grown, 0, 0, begunBytes)
      begun = grown
    }
    chunk.copy(begun, begunBytes)
    begunBytes = needed
    return begun.subarray(0, needed)
  }

  return {
    pass(chunk) {
      const bytes = join(chunk)
      /** None overtakes one that whoever else reads the stream has not seen yet. */
      let mayTake = passBytes === 0 || !isPassingPublish
      let at = Math.min(passBytes, bytes.length)
      passBytes -= at
      /** From here to the next PUBLISH taken, everything passes. */
      let passFrom = 0
      let passed: Buffer[] | undefined
      const cut = (until: number): void => {
        if (passFrom < until) (passed ??= []).push(bytes.subarray(passFrom, until))
      }
      while (at < bytes.length) {
        const type = bytes[at] ?? 0
        const isPublish = type >>> 4 === TYPE_PUBLISH
        const isCandidate = isPublish && mayTake && (type & SECOND_QOS_BIT) === 0
        const bodyAt = findBody(bytes, at)
        const end = bodyAt < 0 ? Infinity : bodyAt + lengthOf(bytes, at + 1)
        if (end <= bytes.length) {
          if (isCandidate && takeWhole(bytes, { bodyAt, end, hasId: (type & FIRST_QOS_BIT) !== 0 })) {
            cut(at)
            passFrom = end
          } else if (isPublish) mayTake = false
          at = end
        } else if (isCandidate || bodyAt < 0) {
          // Not whole yet: kept aside until it is, since only then can it be taken or passed on.
          cut(at)
          keepAside(bytes, at)
          return concat(passed)
        } else {
          passBytes = end - bytes.length
          isPassingPublish = isPublish
          at = bytes.length
        }
      }
      begun = undefined
      cut(bytes.length)
      return concat(passed)
    },
  }

  function keepAside(bytes: Buffer, at: number): void {
    // Still the same packet: it stays where it is, so that one that comes byte by byte is not copied each time.
    if (begun && at === 0) return
    begun = Buffer.from(bytes.subarray(at))
    begunBytes = begun.length
  }

  function takeWhole(
    bytes: Buffer,
    { bodyAt, end, hasId }: { bodyAt: number; end: number; hasId: boolean },
  ): boolean {
    const topicAt = bodyAt + LENGTH_BYTES
    const topicEnd = topicAt + readLength(bytes, bodyAt)
    const payloadAt = hasId ? topicEnd + LENGTH_BYTES : topicEnd
    if (payloadAt > end) return false
    const packetId = hasId ? readLength(bytes, topicEnd) : 0
    // A QoS 1 without an id is nothing that could be acknowledged (MQTT 3.1.1, 2.3.1).
    if (hasId && packetId === 0) return false
    return take({ bytes, topicAt, topicEnd, packetId, payloadAt, end })
  }
}

/** Where a packet's body begins; -1 when its header is not whole. Lengths have been checked in front of the lane. */
function findBody(bytes: Buffer, at: number): number {
  for (let next = at + 1; next < bytes.length; next++) if (((bytes[next] ?? 0) & 128) === 0) return next + 1
  return -1
}

/** The remaining length (MQTT 3.1.1, 2.2.3) that begins here. */
function lengthOf(bytes: Buffer, at: number): number {
  let length = 0
  for (let next = at, factor = 1; ; next++, factor *= 128) {
    const byte = bytes[next] ?? 0
    length += (byte & 127) * factor
    if ((byte & 128) === 0) return length
  }
}

function readLength(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

function concat(parts: readonly Buffer[] | undefined): Buffer | null {
  if (!parts) return null
  return parts.length === 1 ? (parts[0] ?? null) : Buffer.concat(parts)
}
