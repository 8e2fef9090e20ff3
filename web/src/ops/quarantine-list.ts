import type { QuarantinePage, QuarantineView } from '@pulso/model'

/** More than this is not for reading: a filter finds what is sought. */
export const MAX_ENTRIES = 1_000

export interface QuarantineList {
  /** Newest first. */
  entries: readonly QuarantineView[]
  /** Where the older ones begin; null when there are none. */
  next: number | null
}

/**
 * The list with the newest page put before it. When so much arrived at once that the page does not reach what is known,
 * the page begins a new list: a list with a hidden hole would lie.
 */
export function mergeNewest(known: QuarantineList | null, page: QuarantinePage): QuarantineList {
  const newestKnown = known?.entries[0]?.id
  if (!known || newestKnown === undefined) return page
  const oldestOfPage = page.entries.at(-1)?.id
  const reaches = page.next === null || (oldestOfPage !== undefined && oldestOfPage <= newestKnown)
  if (!reaches) return page
  // A page that is all there is says which entries are gone (the bound drops the oldest).
  if (page.next === null) return page
  const fresh = page.entries.filter(({ id }) => id > newestKnown)
  return fresh.length === 0 ? known : { entries: [...fresh, ...known.entries], next: known.next }
}

/** The list with the page that `next` led to behind it. */
export function appendOlder(known: QuarantineList, page: QuarantinePage): QuarantineList {
  const oldestKnown = known.entries.at(-1)?.id ?? Infinity
  const older = page.entries.filter(({ id }) => id < oldestKnown)
  return { entries: [...known.entries, ...older], next: page.next }
}
