import type { Entry } from '../current/entry.ts'
import { toFeatureJson } from '../current/features.ts'
import type { Group } from '../current/groups.ts'
import { toEventHead, toEventTail, type EventName } from './event.ts'
import { mustHear, type Wish } from './wish.ts'
import { toChunk } from './wire.ts'

/** Small enough that 5,000 readers who all take nothing hold no more than 160 MB. */
const PIECE_BYTES = 32 * 1024

/** Pieces kept within a tick for the next reader of the same view. */
const MAX_CACHED_BYTES = 16 * 1024 * 1024

/** An event that goes out piece by piece, each one when the reader has taken the one before. */
export interface Transfer {
  /** Undefined at its end. */
  next(): Buffer | undefined
  /** What the pieces are cut from, as they stand; undefined when each is a chunk of its own. */
  readonly whole: Buffer | undefined
}

export interface GatheredOptions {
  event: EventName
  wish: Wish
  /** Sensors in a list that only grows: a snapshot of a large city takes a slow reader minutes. */
  entries: readonly Entry[]
  groups: readonly Group[]
  /** Only what changed behind this tick is in the list. */
  since: number
}

export interface Transfers {
  /** A snapshot, or what a reader missed. Undefined when the wish leaves nothing of it. */
  gather(options: GatheredOptions): Transfer | undefined
  /** An event that is too large to be written at once, in the way of the reader's HTTP. */
  cut(whole: Buffer): Transfer
  /** Forgets the pieces kept for others. */
  clear(): void
}

interface Piece {
  bytes: Buffer
  /** Where in the list it ends. */
  end: number
}

export function createTransfers(): Transfers {
  const cache = new Map<string, Piece>()
  let cachedBytes = 0

  const cached = (key: string, encode: () => Piece): Piece => {
    const known = cache.get(key)
    if (known) return known
    const piece = encode()
    if (cachedBytes + piece.bytes.length <= MAX_CACHED_BYTES) {
      cache.set(key, piece)
      cachedBytes += piece.bytes.length
    }
    return piece
  }

  return {
    gather({ event, wish, entries, groups, since }) {
      const isWanted = (entry: Entry): boolean => mustHear(entry, wish, since)
      const wantedGroups = groups.filter(({ kind }) => wish.filter.kinds?.has(kind.id) ?? true)
      let at = entries.findIndex(isWanted)
      if (at < 0) at = entries.length
      if (event.name === 'delta' && at === entries.length && wantedGroups.length === 0) return undefined
      const first = at
      let isBegun = false
      let isDone = false
      const encode = (): Piece => {
        const { text, end } = gatherText(entries, { at, isWanted, nowMs: event.nowMs })
        const isLast = end >= entries.length
        const head = isBegun ? '' : toEventHead(event)
        const comma = at > first ? ',' : ''
        return { bytes: toChunk(head + comma + text + (isLast ? toEventTail(wantedGroups) : '')), end }
      }
      return {
        whole: undefined,
        next() {
          if (isDone) return undefined
          // Views with a box are rarely shared; they would take the room of those that are.
          const key = `${event.id} ${since} ${wish.key} ${at}`
          const piece = wish.filter.bbox ? encode() : cached(key, encode)
          isBegun = true
          at = piece.end
          isDone = at >= entries.length
          return piece.bytes
        },
      }
    },
    cut(whole) {
      let at = 0
      return {
        whole,
        next: () => (at < whole.length ? whole.subarray(at, (at += PIECE_BYTES)) : undefined),
      }
    },
    clear() {
      cache.clear()
      cachedBytes = 0
    },
  }
}

/** @returns JSON of the wanted ones from `at` on, until there is enough, and the next wanted one's place */
function gatherText(
  entries: readonly Entry[],
  { at, isWanted, nowMs }: { at: number; isWanted: (entry: Entry) => boolean; nowMs: number },
): { text: string; end: number } {
  const texts: string[] = []
  let length = 0
  let end = at
  for (; end < entries.length; end++) {
    const entry = entries[end]
    if (!entry || !isWanted(entry)) continue
    if (length >= PIECE_BYTES) break
    const json = toFeatureJson(entry, nowMs)
    texts.push(json)
    length += json.length
  }
  return { text: texts.join(','), end }
}
