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
 * Entries by the second in which to look at them. A new reading only moves an entry's change further away, so the entry
 * stays where it is and is put further when its second comes: a reading costs nothing here. One whose change moved
 * nearer is in two lists, and only the second that is written on it counts.
 */
export function createSchedule(): Schedule {
  const seconds = new Map<number, Entry[]>()

  const add = (entry: Entry): void => {
    if (entry.nextChangeMs === Infinity) return
    // The change comes after its millisecond, so the second behind it is the first that may look.
    const second = Math.floor(entry.nextChangeMs / SECOND_MS) + 1
    if (entry.plannedSecond !== undefined && entry.plannedSecond <= second) return
    entry.plannedSecond = second
    const entries = seconds.get(second)
    if (entries) entries.push(entry)
    else seconds.set(second, [entry])
  }

  const takeDue = (nowMs: number): Entry[] => {
    const due: Entry[] = []
    const nowSecond = Math.floor(nowMs / SECOND_MS)
    for (const [second, entries] of seconds) {
      if (second > nowSecond) continue
      seconds.delete(second)
      for (const entry of entries) {
        if (entry.plannedSecond !== second) continue
        entry.plannedSecond = undefined
        if (entry.nextChangeMs < nowMs) due.push(entry)
        else add(entry)
      }
    }
    return due
  }

  return { add, takeDue }
}
