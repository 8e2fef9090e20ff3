import type { Socket } from 'node:net'
import type { Transfer } from './transfer.ts'
import { toPlain } from './wire.ts'
import type { Wish } from './wish.ts'

/** Where a reader's answer goes: its socket, behind the answer's headers. */
export interface Line {
  readonly socket: Socket
  /** Not so with HTTP/1.0: the end of the answer is the end of the connection. */
  readonly isChunked: boolean
}

/** A wish, and those who have it. */
export interface View extends Wish {
  /** Readers that know everything up to the last tick and have nothing unsent. */
  readonly live: Set<Reader>
  /** How many there are in all. */
  readers: number
}

/** One reader of the feed. At most one event of it is under way; what changes meanwhile is gathered. */
export interface Reader extends Line {
  readonly view: View
  /** What its places are counted by; undefined where they are not. */
  readonly addressKey: string | undefined
  /** The tick it knows of, while it is busy; those that are live know the last one. */
  sequence: number
  /** What goes out piece by piece. */
  transfer: Transfer | undefined
  /** What it has not taken yet: the memory that it holds. */
  held: Buffer | undefined
  /** Ticks since it last took anything. */
  stuckTicks: number
  isGone: boolean
}

/** Writes bytes of the feed, in the way of the reader's HTTP. */
export function writeTo({ socket, isChunked }: Line, chunk: Buffer, onLeft?: () => void): void {
  socket.write(isChunked ? chunk : toPlain(chunk), onLeft)
}
