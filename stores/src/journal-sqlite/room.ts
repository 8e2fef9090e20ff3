import { statfsSync } from 'node:fs'

/** How much the journal may take, of its own bound and of the disk it shares with others. */
export interface JournalBounds {
  /** Live messages, their envelopes included. */
  maxBytes: number
  /** With less than this left on its file system it takes no more; 0 leaves it to the disk to say no. */
  minFreeBytes: number
}

export interface RoomOptions extends JournalBounds {
  /** The journal's file, or anything else on its file system. */
  path: string
  /** Pages of the file that hold nothing: messages that go there need no more disk. */
  unusedBytes: () => number
  freeBytes?: (path: string) => number
  nowMs?: () => number
}

/** Says whether a block finds room. */
export interface Room {
  /**
   * @param bytes what the journal holds
   * @returns why the block must wait; `null` when there is room
   */
  refuse(blockBytes: number, bytes: number): string | null
  /** Something was written since. */
  wrote(bytes: number): void
}

/** Asking the file system costs little, but not nothing, and an answer is good for this long. */
const ASK_EVERY_MS = 250

/** A block is written twice before its place in the log is used again: to the log, and to the file. */
const WRITTEN_TIMES = 2

export function createRoom({
  path,
  maxBytes,
  minFreeBytes,
  unusedBytes,
  freeBytes = readFreeBytes,
  nowMs = () => performance.now(),
}: RoomOptions): Room {
  let free = 0
  let askedAtMs = -Infinity

  const isDiskLow = (blockBytes: number): boolean => {
    if (minFreeBytes === 0) return false
    if (nowMs() - askedAtMs >= ASK_EVERY_MS) {
      free = freeBytes(path)
      askedAtMs = nowMs()
    }
    // A file that once was larger has the room inside: waiting for the disk then could be for ever.
    return free - blockBytes * WRITTEN_TIMES < minFreeBytes && unusedBytes() < blockBytes
  }

  return {
    refuse(blockBytes, bytes) {
      // An empty journal takes any block, or one larger than the bound would wait for ever.
      if (bytes > 0 && bytes + blockBytes > maxBytes) {
        return `${bytes} of at most ${maxBytes} bytes wait to be ingested (PULSO_LIMIT_JOURNAL_BYTES)`
      }
      if (isDiskLow(blockBytes)) {
        return `Only ${free} bytes are free on the disk of ${path}, at least ${minFreeBytes} are left for others (PULSO_LIMIT_JOURNAL_FREE_BYTES)`
      }
      return null
    },
    wrote(bytes) {
      free -= bytes * WRITTEN_TIMES
    },
  }
}

function readFreeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}
