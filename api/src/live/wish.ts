import type { Entry } from '../current/entry.ts'
import { matches, type SensorFilter } from '../http/query.ts'

/** What a reader wants to see. */
export interface Wish {
  readonly filter: SensorFilter
  /** Equal for equal filters. */
  readonly key: string
  /** The part of it that says which kinds. */
  readonly kindsKey: string
}

export function toWish(filter: SensorFilter): Wish {
  const kindsKey = filter.kinds ? [...filter.kinds].sort().join(',') : '*'
  return { filter, kindsKey, key: `${kindsKey} ${filter.bbox?.join(',') ?? '*'}` }
}

/**
 * Whether a reader that was away since that tick must hear of the sensor. Where it has been meanwhile is not kept, so
 * one that moved is told to everybody who follows its kind: a view it left must know.
 */
export function mustHear(entry: Entry, { filter }: Wish, since: number): boolean {
  if (matches(entry, filter)) return true
  return entry.movedAt > since && (filter.kinds?.has(entry.kind.id) ?? true)
}
