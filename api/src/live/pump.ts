import type { HeldBytes } from './held-bytes.ts'
import { writeTo, type Reader } from './reader.ts'

/** Written before other work gets its turn: a crowd that asks for snapshots must not hold up the deltas of the rest. */
const BYTES_PER_TURN = 1024 * 1024

export interface Pump {
  /** Sends the reader's transfer, each piece when the one before has left. */
  start(reader: Reader): void
}

export function createPump(held: HeldBytes): Pump {
  const ready: Reader[] = []
  let isScheduled = false

  const schedule = (): void => {
    if (isScheduled || ready.length === 0) return
    isScheduled = true
    setImmediate(run)
  }

  const run = (): void => {
    isScheduled = false
    for (let bytes = 0; bytes < BYTES_PER_TURN;) {
      const reader = ready.shift()
      if (!reader) return
      bytes += writeNext(reader)
    }
    schedule()
  }

  const writeNext = (reader: Reader): number => {
    if (reader.isGone) return 0
    const { transfer } = reader
    const piece = transfer?.next()
    if (!piece) {
      reader.transfer = undefined
      held.hold(reader, undefined)
      return 0
    }
    held.hold(reader, transfer?.whole ?? piece)
    const whenTaken = (): void => {
      reader.stuckTicks = 0
      ready.push(reader)
      schedule()
    }
    if (transfer?.whole) reader.socket.write(piece, whenTaken)
    else writeTo(reader, piece, whenTaken)
    return piece.length
  }

  return {
    start(reader) {
      ready.push(reader)
      schedule()
    },
  }
}
