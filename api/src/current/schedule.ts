import { SECOND_MS } from '@pulso/model'
import type { Entry } from './entry.ts'

/** Which sensors the passing of time changes next. */
export interface Schedule {
  /** Makes sure the entry is looked at once its `nextChangeMs` has passed. */
  add(entry: Entry): void
  /** The entries whose next change has passed; they are forgotten until added again. */
  takeDue(nowMs: number): Entry[]
}

/**
 * Entries in buckets of a second. A new reading only moves an entry's change further away, so the entry stays where it
 * is and is put further when its bucket comes up: a reading costs nothing here.
 */
export function createSchedule(): Schedule {
  const buckets = new Map<number, Set<Entry>>()
  const bucketOf = new Map<Entry, number>()

  const add = (entry: Entry): void => {
    if (entry.nextChangeMs === Infinity) return
    // The change comes after its millisecond, so the second behind it is the first that may look.
    const bucket = Math.floor(entry.nextChangeMs / SECOND_MS) + 1
    const planned = bucketOf.get(entry)
    if (planned !== undefined) {
      if (planned <= bucket) return
      buckets.get(planned)?.delete(entry)
    }
    bucketOf.set(entry, bucket)
    const entries = buckets.get(bucket)
    if (entries) entries.add(entry)
    else buckets.set(bucket, new Set([entry]))
  }

  const takeDue = (nowMs: number): Entry[] => {
    const due: Entry[] = []
    const nowBucket = Math.floor(nowMs / SECOND_MS)
    for (const [bucket, entries] of buckets) {
      if (bucket > nowBucket) continue
      buckets.delete(bucket)
      for (const entry of entries) {
        bucketOf.delete(entry)
        if (entry.nextChangeMs < nowMs) due.push(entry)
        else add(entry)
      }
    }
    return due
  }

  return { add, takeDue }
}
