import type { Entry } from '../current/entry.ts'
import { matches, type SensorFilter } from '../http/query.ts'
import type { Reader } from './reader.ts'

/** What some readers want to see, and those of them that are up to date. */
export interface View {
  readonly filter: SensorFilter
  /** Equal for equal filters. */
  readonly key: string
  /** The part of it that says which kinds. */
  readonly kindsKey: string
  /** Readers that know everything up to the last tick and have nothing unsent. */
  readonly live: Set<Reader>
  /** All its readers. */
  readers: number
}

export interface Views {
  join(filter: SensorFilter): View
  leave(view: View): void
  values(): Iterable<View>
}

/** Readers by what they want to see: what is put together for a view is written to all of its readers. */
export function createViews(): Views {
  const views = new Map<string, View>()
  return {
    join(filter) {
      const kindsKey = filter.kinds ? [...filter.kinds].sort().join(',') : '*'
      const key = `${kindsKey} ${filter.bbox?.join(',') ?? '*'}`
      const view = views.get(key) ?? { filter, key, kindsKey, live: new Set(), readers: 0 }
      views.set(key, view)
      view.readers += 1
      return view
    },
    leave(view) {
      view.readers -= 1
      if (view.readers === 0) views.delete(view.key)
    },
    values: () => views.values(),
  }
}

/**
 * Whether a reader that was away since that tick must hear of the sensor. Where it has been meanwhile is not kept, so
 * one that moved is told to everybody who follows its kind: a view it left must know.
 */
export function mustHear(entry: Entry, { filter }: View, since: number): boolean {
  if (matches(entry, filter)) return true
  return entry.movedAt > since && (filter.kinds?.has(entry.kind.id) ?? true)
}
