import type { Entry } from './entry.ts'

/** Sensors remembered by tick, all ticks together: more than this costs more than looking through the whole city. */
const MAX_ENTRIES = 20_000
const MAX_TICKS = 1_000

interface Tick {
  sequence: number
  entries: readonly Entry[]
}

/** The last ticks, for readers that missed a few of them. */
export interface RecentChanges {
  add(tick: Tick): void
  /** Sensors that changed behind the tick, each once; undefined when that is longer ago than what is remembered. */
  since(sequence: number): Entry[] | undefined
}

export function createRecentChanges(): RecentChanges {
  const ticks: Tick[] = []
  let size = 0
  return {
    add({ sequence, entries }) {
      ticks.push({ sequence, entries })
      size += entries.length
      while (size > MAX_ENTRIES || ticks.length > MAX_TICKS) size -= ticks.shift()?.entries.length ?? 0
    },
    since(sequence) {
      const newest = ticks.at(-1)?.sequence ?? 0
      if (sequence >= newest) return []
      const first = ticks.findIndex((tick) => tick.sequence === sequence + 1)
      if (first < 0) return undefined
      // One that changed again later stands there, too, or is still to come.
      return ticks
        .slice(first)
        .flatMap((tick) => tick.entries.filter(({ changedAt }) => changedAt === tick.sequence))
    },
  }
}
