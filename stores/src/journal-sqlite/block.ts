import type { JournalMessage, KeptMessage } from '../journal.ts'

/**
 * A block is the messages of one group commit, one after the other, in one buffer that goes from the writer's thread
 * to the disk and from there to the reader as it is. One record, little endian:
 * u32 payload length, u16 topic length, u16 credential length, f64 receive time in ms, topic, credential, payload.
 * The writer leaves the receive time at 0 unless it is known already, and the commit thread fills it in.
 */
const HEADER_BYTES = 16
const MAX_TEXT_BYTES = 0xffff
const MAX_PAYLOAD_BYTES = 0xffff_ffff
/** An UTF-16 unit takes at most three bytes in UTF-8. */
const MAX_BYTES_PER_UNIT = 3
const FIRST_CAPACITY_BYTES = 16 * 1024

const AT = { payloadLength: 0, topicLength: 4, credentialLength: 6, receivedAtMs: 8 } as const

/** Packs messages into one growing buffer. */
export interface BlockPacker {
  readonly bytes: number
  readonly count: number
  /** @param message one that `fitsRecord` */
  add(message: JournalMessage): void
  /** Gives the memory away: the packer must not be used any more. */
  take(): ArrayBuffer
}

export function createBlockPacker(): BlockPacker {
  // Not from Node's shared pool, because the memory is handed over to the other thread.
  let buffer = Buffer.allocUnsafeSlow(FIRST_CAPACITY_BYTES)
  let bytes = 0
  let count = 0
  return {
    get bytes() {
      return bytes
    },
    get count() {
      return count
    },
    add(message) {
      const { topic, credential, payload } = message
      const needed = bytes + maxRecordBytes(message)
      if (needed > buffer.length) buffer = grow(buffer, { bytes, needed })
      const topicLength = buffer.write(topic, bytes + HEADER_BYTES)
      const credentialLength = buffer.write(credential, bytes + HEADER_BYTES + topicLength)
      buffer.writeUInt32LE(payload.length, bytes + AT.payloadLength)
      buffer.writeUInt16LE(topicLength, bytes + AT.topicLength)
      buffer.writeUInt16LE(credentialLength, bytes + AT.credentialLength)
      buffer.writeDoubleLE(message.receivedAtMs ?? 0, bytes + AT.receivedAtMs)
      const payloadAt = bytes + HEADER_BYTES + topicLength + credentialLength
      buffer.set(payload, payloadAt)
      bytes = payloadAt + payload.length
      count++
    },
    take: () => buffer.buffer,
  }
}

/** Whether no part of a message is longer than its length field can say. */
export function fitsRecord({ topic, credential, payload }: JournalMessage): boolean {
  return fitsText(topic) && fitsText(credential) && payload.length <= MAX_PAYLOAD_BYTES
}

function fitsText(text: string): boolean {
  return text.length * MAX_BYTES_PER_UNIT <= MAX_TEXT_BYTES || Buffer.byteLength(text) <= MAX_TEXT_BYTES
}

/** What a message takes in a block, at most. */
export function maxRecordBytes({ topic, credential, payload }: JournalMessage): number {
  return HEADER_BYTES + (topic.length + credential.length) * MAX_BYTES_PER_UNIT + payload.length
}

/**
 * Fills in each record's receive time, where it has none.
 * @param assign is given the topic's bytes as a key that is the same for the same topic
 * @returns how many records there are
 */
export function stampBlock(block: Buffer, assign: (topicKey: string, payload: Buffer) => number): number {
  let count = 0
  for (let at = 0; at < block.length; count++) {
    const { topicAt, credentialAt, payloadAt, end } = locate(block, at)
    // Latin 1 gives every byte its own character: cheaper than UTF-8 and as good a key.
    if (block.readDoubleLE(at + AT.receivedAtMs) === 0) {
      const topicKey = block.toString('latin1', topicAt, credentialAt)
      block.writeDoubleLE(assign(topicKey, block.subarray(payloadAt, end)), at + AT.receivedAtMs)
    }
    at = end
  }
  return count
}

/** The messages of a block, from its first position on. Payloads are views of the block, not copies. */
export function* readBlock(data: Uint8Array, firstPosition: number): Generator<KeptMessage> {
  const block = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  let position = firstPosition
  for (let at = 0; at < block.length; position++) {
    const { topicAt, credentialAt, payloadAt, end } = locate(block, at)
    yield {
      position,
      receivedAtMs: block.readDoubleLE(at + AT.receivedAtMs),
      topic: block.toString('utf8', topicAt, credentialAt),
      credential: block.toString('utf8', credentialAt, payloadAt),
      payload: block.subarray(payloadAt, end),
    }
    at = end
  }
}

function locate(
  block: Buffer,
  at: number,
): { topicAt: number; credentialAt: number; payloadAt: number; end: number } {
  const topicAt = at + HEADER_BYTES
  const credentialAt = topicAt + block.readUInt16LE(at + AT.topicLength)
  const payloadAt = credentialAt + block.readUInt16LE(at + AT.credentialLength)
  return { topicAt, credentialAt, payloadAt, end: payloadAt + block.readUInt32LE(at + AT.payloadLength) }
}

function grow(
  buffer: Buffer<ArrayBuffer>,
  { bytes, needed }: { bytes: number; needed: number },
): Buffer<ArrayBuffer> {
  const grown = Buffer.allocUnsafeSlow(Math.max(needed, buffer.length * 2))
  buffer.copy(grown, 0, 0, bytes)
  return grown
}
