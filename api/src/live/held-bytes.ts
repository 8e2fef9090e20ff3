import type { Reader } from './reader.ts'

/** The memory that readers hold by not taking what was written to them: what several share is counted once. */
export interface HeldBytes {
  hold(reader: Reader, bytes: Buffer | undefined): void
  readonly total: number
}

export function createHeldBytes(): HeldBytes {
  const holders = new Map<Buffer, number>()
  let total = 0

  const release = (bytes: Buffer): void => {
    const others = (holders.get(bytes) ?? 1) - 1
    if (others > 0) holders.set(bytes, others)
    else if (holders.delete(bytes)) total -= bytes.length
  }
  return {
    hold(reader, bytes) {
      if (reader.held === bytes) return
      if (reader.held) release(reader.held)
      reader.held = bytes
      if (!bytes) return
      const others = holders.get(bytes) ?? 0
      if (others === 0) total += bytes.length
      holders.set(bytes, others + 1)
    },
    get total() {
      return total
    },
  }
}
