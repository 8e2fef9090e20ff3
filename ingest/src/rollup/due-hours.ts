import type { Bucket, Calendar, Kinds, Reading } from '@pulso/model'
import type { DueHour } from '@pulso/stores'

/** The readings of a batch that are stored now. */
export interface StoredBatch {
  position: number
  identities: { changedBefore(beforeMs: number, take: (kind: string, reading: Reading) => void): void }
}

/** Which hours are to be worked out anew, in memory; the registry has the same as soon as it is settled. */
export interface DueHours {
  /**
   * Readings of the kind before this are late from now on. To be said before their buckets are worked out, and batches
   * to be taken after they are stored: then a reading is seen by the one or the other.
   */
  claim(kind: string, beforeMs: number): void
  take(batch: StoredBatch, holdMsOf: (sensorId: string) => number): void
  /** What was taken and is not yet in the registry. */
  unsettled(): DueHour[]
  settled(hours: readonly DueHour[]): void
  /** What the registry has. */
  add(hours: Iterable<DueHour>): void
  /** Whether late readings have changed what is in the bucket. */
  isChanged(kind: string, bucket: Bucket): boolean
  /** Those of a kind, in order: first the changed ones, then those that only a rebuild asks for. */
  list(kind: string): DueHour[]
  /** They are being worked out: what is brought up again from here on stays due. */
  begin(hours: readonly DueHour[]): void
  /** They are done. @returns those that are no longer due */
  end(hours: readonly DueHour[]): DueHour[]
  /** Those that only a rebuild asks for are not wanted any more. @returns which */
  cancelRebuild(): DueHour[]
  counts(): { changed: number; rebuild: number }
}

interface Entry extends DueHour {
  isBegun: boolean
}

export function createDueHours({ kinds, calendar }: { kinds: Kinds; calendar: Calendar }): DueHours {
  const claims = new Map<string, number>()
  const due = new Map<string, Map<number, Entry>>()
  const fresh = new Set<Entry>()
  /** Values of these kinds' metrics go on into later buckets. */
  const holding = new Set<string>()
  for (const { id, metrics } of kinds.values()) {
    due.set(id, new Map())
    const isHolding = Object.values(metrics).some(({ rollup }) => rollup === 'share' || rollup === 'counter')
    if (isHolding) holding.add(id)
  }
  let newestClaimMs = -Infinity

  const ofKind = (kind: string): Map<number, Entry> => due.get(kind) ?? new Map<number, Entry>()

  const remove = (entry: Entry | undefined): boolean => {
    if (!entry) return false
    fresh.delete(entry)
    return ofKind(entry.kind).delete(entry.hourMs)
  }

  const mark = (kind: string, hourMs: number, position: number): void => {
    const known = ofKind(kind).get(hourMs)
    if (known?.position === position && !known.isBegun) return
    remove(known)
    const entry = { kind, hourMs, position, isBegun: false }
    ofKind(kind).set(hourMs, entry)
    fresh.add(entry)
  }

  /** The reading's hour, and those into which its value may reach, as far as they are rolled up. */
  const markFrom = (kind: string, hour: Bucket, reach: { untilMs: number; position: number }): void => {
    const untilMs = Math.min(reach.untilMs, (claims.get(kind) ?? -Infinity) - 1)
    mark(kind, hour.fromMs, reach.position)
    for (let next = hour.toMs; next <= untilMs; next = calendar.bucketAt('1h', next).toMs)
      mark(kind, next, reach.position)
  }

  return {
    claim(kind, beforeMs) {
      claims.set(kind, beforeMs)
      newestClaimMs = Math.max(...claims.values())
    },
    take({ identities, position }, holdMsOf) {
      // Late readings come in swarms of the same hour.
      let last: { kind: string; hour: Bucket; holdMs: number } | undefined
      identities.changedBefore(newestClaimMs, (kind, { sensorId, timeMs }) => {
        if (timeMs >= (claims.get(kind) ?? -Infinity)) return
        const holdMs = holding.has(kind) ? holdMsOf(sensorId) : 0
        const isSame =
          last?.kind === kind &&
          holdMs <= last.holdMs &&
          timeMs >= last.hour.fromMs &&
          timeMs < last.hour.toMs
        if (isSame) return
        const hour = calendar.bucketAt('1h', timeMs)
        markFrom(kind, hour, { untilMs: holdMs > 0 ? hour.toMs + holdMs : hour.fromMs, position })
        last = { kind, hour, holdMs }
      })
    },
    unsettled: () => Array.from(fresh, toDueHour),
    settled(hours) {
      for (const { kind, hourMs, position } of hours) {
        const entry = ofKind(kind).get(hourMs)
        if (entry?.position === position) fresh.delete(entry)
      }
    },
    add(hours) {
      for (const { kind, hourMs, position } of hours) {
        const entry = ofKind(kind).get(hourMs)
        if (entry) entry.isBegun = false
        else due.get(kind)?.set(hourMs, { kind, hourMs, position, isBegun: false })
      }
    },
    isChanged(kind, { fromMs, toMs }) {
      const hours = ofKind(kind)
      if (hours.size === 0) return false
      for (let hour = calendar.bucketAt('1h', fromMs); hour.fromMs < toMs;) {
        if ((hours.get(hour.fromMs)?.position ?? 0) > 0) return true
        hour = calendar.bucketAt('1h', hour.toMs)
      }
      return false
    },
    list: (kind) =>
      Array.from(ofKind(kind).values(), toDueHour).sort(
        (a, b) => Number(a.position === 0) - Number(b.position === 0) || a.hourMs - b.hourMs,
      ),
    begin(hours) {
      for (const { kind, hourMs } of hours) {
        const entry = ofKind(kind).get(hourMs)
        if (entry) entry.isBegun = true
      }
    },
    end: (hours) =>
      hours.filter(({ kind, hourMs }) => {
        const entry = ofKind(kind).get(hourMs)
        return entry?.isBegun === true && remove(entry)
      }),
    cancelRebuild() {
      const wanted = [...due.values()].flatMap((hours) => [...hours.values()])
      return wanted.filter((entry) => entry.position === 0 && remove(entry)).map(toDueHour)
    },
    counts() {
      const all = [...due.values()].flatMap((hours) => [...hours.values()])
      const rebuild = all.filter(({ position }) => position === 0).length
      return { changed: all.length - rebuild, rebuild }
    },
  }
}

function toDueHour({ kind, hourMs, position }: Entry): DueHour {
  return { kind, hourMs, position }
}
