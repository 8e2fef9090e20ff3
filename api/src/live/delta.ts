import { isWithin } from '@pulso/model'
import type { Changes } from '../current/current-state.ts'
import type { Entry } from '../current/entry.ts'
import { toFeatureJson } from '../current/features.ts'
import { toEventHead, toEventTail } from './event.ts'
import type { Wish } from './wish.ts'
import { frame, FRAME_BYTES, FRAME_HEAD_BYTES } from './wire.ts'

/** What one tick changed, ready to be sent. */
export interface Delta {
  /** The event for the readers who wish for it; undefined when it leaves nothing of it. */
  bytesFor(wish: Wish): Buffer | undefined
}

interface Tail {
  bytes: Buffer
  isEmpty: boolean
  /** The event without any sensor, shared by all views that see none of those that changed. */
  withoutSensors: Buffer | undefined
}

/**
 * Encodes each change once, into one row of bytes. A view's event is copied together from stretches of that row: the
 * sensors lie in it from west to east, so a view looks only at those between its edges, and neighbours are copied at once.
 */
export function createDelta(changes: Changes, { id, nowMs }: { id: string; nowMs: number }): Delta {
  const head = Buffer.from(toEventHead({ name: 'delta', id, nowMs }))
  const row = createRow(changes, nowMs)
  const tails = new Map<string, Tail>()
  const runs = new Uint32Array(2 * changes.entries.length)

  const tailFor = ({ kindsKey, filter }: Wish): Tail => {
    let tail = tails.get(kindsKey)
    if (tail) return tail
    const groups = changes.groups.filter(({ kind }) => filter.kinds?.has(kind.id) ?? true)
    tail = {
      bytes: Buffer.from(toEventTail(groups)),
      isEmpty: groups.length === 0,
      withoutSensors: undefined,
    }
    tails.set(kindsKey, tail)
    return tail
  }

  const assemble = (tail: Tail, count: number): Buffer => {
    let length = 0
    for (let run = 0; run < count; run += 2) length += (runs[run + 1] ?? 0) - (runs[run] ?? 0)
    // Each sensor has a comma in front, which the first one does not need.
    const sensorsLength = Math.max(0, length - 1)
    const bytes = Buffer.allocUnsafe(FRAME_BYTES + head.length + sensorsLength + tail.bytes.length)
    let at = FRAME_HEAD_BYTES
    at += head.copy(bytes, at)
    for (let run = 0; run < count; run += 2) {
      const start = run === 0 ? (runs[run] ?? 0) + 1 : runs[run]
      at += row.bytes.copy(bytes, at, start, runs[run + 1])
    }
    tail.bytes.copy(bytes, at)
    return frame(bytes)
  }

  return {
    bytesFor(wish) {
      const tail = tailFor(wish)
      const count = row.find(wish, runs)
      if (count > 0) return assemble(tail, count)
      if (tail.isEmpty) return undefined
      tail.withoutSensors ??= assemble(tail, 0)
      return tail.withoutSensors
    },
  }
}

interface Row {
  bytes: Buffer
  /** Writes start and end of each stretch that the wish names. @returns how many numbers it wrote */
  find(wish: Wish, runs: Uint32Array): number
}

function createRow(changes: Changes, nowMs: number): Row {
  const entries = changes.entries.toSorted((a, b) => longitudeOf(a) - longitudeOf(b))
  const { bytes, starts } = encode(entries, nowMs)
  const longitudes = Float64Array.from(entries, longitudeOf)
  const latitudes = Float64Array.from(entries, ({ sensor }) => sensor.position?.lat ?? NaN)
  const moved = entries.flatMap((entry, index) =>
    entry.movedAt === changes.sequence && entry.previousPosition
      ? [{ index, from: entry.previousPosition }]
      : [],
  )

  return {
    bytes,
    find({ filter: { kinds, bbox } }, runs) {
      let count = 0
      const add = (index: number): void => {
        const entry = entries[index]
        if (!entry || (kinds && !kinds.has(entry.kind.id))) return
        const start = starts[index] ?? 0
        // A neighbour of the last one makes that one's stretch longer.
        if (count > 0 && runs[count - 1] === start) count -= 2
        else runs[count] = start
        runs[count + 1] = starts[index + 1] ?? 0
        count += 2
      }
      if (!bbox) {
        for (let index = 0; index < entries.length; index++) add(index)
        return count
      }
      const [west, south, east, north] = bbox
      for (let index = firstFrom(longitudes, west); index < entries.length; index++) {
        if ((longitudes[index] ?? Infinity) > east) break
        const lat = latitudes[index] ?? NaN
        if (lat >= south && lat <= north) add(index)
      }
      for (const { index, from } of moved) {
        const isThere = isWithin(bbox, longitudes[index] ?? NaN, latitudes[index] ?? NaN)
        // The readers of a view that it left must hear where it is now.
        if (!isThere && isWithin(bbox, from.lon, from.lat)) add(index)
      }
      return count
    },
  }
}

/** Each sensor's JSON behind a comma; `starts` has one more, the end of the last. */
function encode(entries: readonly Entry[], nowMs: number): { bytes: Buffer; starts: Uint32Array } {
  const texts = entries.map((entry) => toFeatureJson(entry, nowMs))
  const starts = new Uint32Array(texts.length + 1)
  let length = 0
  texts.forEach((text, index) => {
    starts[index] = length
    length += Buffer.byteLength(text) + 1
  })
  starts[texts.length] = length
  const bytes = Buffer.from(texts.map((text) => `,${text}`).join(''))
  return { bytes, starts }
}

/** The first index whose value is not smaller. */
function firstFrom(sorted: Float64Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? Infinity) < value) low = middle + 1
    else high = middle
  }
  return low
}

/** Sensors without a place stand behind all others. */
function longitudeOf({ sensor }: Entry): number {
  return sensor.position?.lon ?? 1_000
}
