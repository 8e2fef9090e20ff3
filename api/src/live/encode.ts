import { isWithin, toIsoTime, type LiveEvent } from '@pulso/model'
import type { Changes } from '../current/current-state.ts'
import type { Entry } from '../current/entry.ts'
import { toFeatureJson } from '../current/features.ts'
import type { Group } from '../current/groups.ts'
import { matches, type SensorFilter } from '../http/query.ts'

export interface EventOptions {
  name: 'snapshot' | 'delta'
  id: string
  nowMs: number
  filter: SensorFilter
}

/** An event of the feed as it goes over the wire; `undefined` when the filter leaves nothing of it. */
export function encodeEvent(
  changes: Pick<Changes, 'entries' | 'groups'>,
  options: EventOptions & { since: number },
): Buffer | undefined {
  const { filter, since, nowMs } = options
  const entries = changes.entries.filter((entry) => matches(entry, filter) || hasLeft(entry, filter, since))
  const groups = changes.groups.filter(({ kind }) => filter.kinds?.has(kind.id) ?? true)
  if (options.name === 'delta' && entries.length === 0 && groups.length === 0) return undefined
  // The parts are kept as JSON with each sensor and group: only what changed is ever encoded again.
  const data = {
    time: JSON.stringify(toIsoTime(nowMs)),
    sensors: toJsonList(entries.map((entry) => toFeatureJson(entry, nowMs))),
    zones: toJsonList(groups.filter(({ zone }) => zone !== null).map(toGroupJson)),
    city: toJsonList(groups.filter(({ zone }) => zone === null).map(toGroupJson)),
  } satisfies Record<keyof LiveEvent, string>
  const fields = Object.entries(data).map(([name, json]) => `"${name}":${json}`)
  return Buffer.from(`id: ${options.id}\nevent: ${options.name}\ndata: {${fields.join(',')}}\n\n`)
}

/** Moved out of the box since then: the readers of the box must hear where it is now. */
function hasLeft({ kind, movedAt, previousPosition }: Entry, filter: SensorFilter, since: number): boolean {
  if (movedAt <= since || !previousPosition || !filter.bbox) return false
  if (filter.kinds && !filter.kinds.has(kind.id)) return false
  return isWithin(filter.bbox, previousPosition.lon, previousPosition.lat)
}

function toJsonList(items: readonly string[]): string {
  return `[${items.join(',')}]`
}

function toGroupJson(group: Group): string {
  return group.json
}
