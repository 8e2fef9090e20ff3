/** Reads a payload from its start to its end; numbers are little-endian. */
export interface ByteReader {
  uint8(): number
  int8(): number
  uint16(): number
  int16(): number
  uint32(): number
  int32(): number
  float32(): number
  bytes(count: number): Uint8Array
  /** What is left, as upper-case hex digits. */
  hex(count?: number): string
  left(): number
}

/** @throws Error from every read past the end, with a sentence that says so */
export function createByteReader(bytes: Uint8Array): ByteReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let offset = 0
  const take = (count: number): number => {
    if (offset + count > bytes.byteLength) {
      throw new Error(`The payload ends after ${bytes.byteLength} bytes, before its field at byte ${offset}`)
    }
    offset += count
    return offset - count
  }
  const takeBytes = (count: number): Uint8Array => {
    const start = take(count)
    return bytes.subarray(start, start + count)
  }
  return {
    uint8: () => view.getUint8(take(1)),
    int8: () => view.getInt8(take(1)),
    uint16: () => view.getUint16(take(2), true),
    int16: () => view.getInt16(take(2), true),
    uint32: () => view.getUint32(take(4), true),
    int32: () => view.getInt32(take(4), true),
    float32: () => view.getFloat32(take(4), true),
    bytes: takeBytes,
    hex: (count = bytes.byteLength - offset) => Buffer.from(takeBytes(count)).toString('hex').toUpperCase(),
    left: () => bytes.byteLength - offset,
  }
}
