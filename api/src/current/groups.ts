import type { Kind, Kinds, ZoneAggregate } from '@pulso/model'
import { mergeSums, sumUp, toAggregate, type Sums } from './aggregates.ts'
import type { Entry } from './entry.ts'

/** The sensors of one kind in one zone, or in the whole city. */
export interface Group {
  readonly kind: Kind
  /** `null` for the whole city. */
  readonly zone: string | null
  readonly view: ZoneAggregate
  readonly json: string
  /** The sequence number of the tick that its last change goes out with. */
  changedAt: number
}

export interface Groups {
  put(entry: Entry): void
  remove(entry: Entry): void
  /** Something about a member changed. */
  touch(entry: Entry): void
  /** Groups whose sums changed since they were last taken. */
  takeChanged(): Group[]
  /** All groups up to date, those of zones and those of the city. */
  list(): { zones: Group[]; city: Group[] }
}

interface ZoneGroup extends Group {
  members: Set<Entry>
  sums: Sums
  view: ZoneAggregate
  json: string
}

interface KindGroups {
  kind: Kind
  /** By zone; the sensors outside every zone stand under `null`, and count only in the city's sums. */
  zones: Map<string | null, ZoneGroup>
  city: ZoneGroup
}

/** Sums by zone and kind, worked out again only for the groups that a change touched. */
export function createGroups(kinds: Kinds): Groups {
  const byKind = new Map<string, KindGroups>()
  const dirty = new Set<ZoneGroup>()
  const dirtyKinds = new Set<KindGroups>()
  const changed = new Set<ZoneGroup>()
  for (const kind of kinds.values()) {
    byKind.set(kind.id, { kind, zones: new Map(), city: createGroup(kind, null) })
  }

  const groupOf = (entry: Entry): ZoneGroup | undefined => {
    const groups = byKind.get(entry.kind.id)
    if (!groups) return undefined
    const group = groups.zones.get(entry.zone) ?? createGroup(entry.kind, entry.zone)
    groups.zones.set(entry.zone, group)
    dirty.add(group)
    dirtyKinds.add(groups)
    return group
  }

  const update = (group: ZoneGroup, sums: Sums): void => {
    group.sums = sums
    group.view = toAggregate(group.kind, group.zone, sums)
    const json = JSON.stringify(group.view)
    if (json !== group.json) changed.add(group)
    group.json = json
  }

  const refresh = (): void => {
    for (const group of dirty) update(group, sumUp(group.kind, group.members))
    for (const { kind, zones, city } of dirtyKinds)
      update(
        city,
        mergeSums(
          kind,
          [...zones.values()].map(({ sums }) => sums),
        ),
      )
    dirty.clear()
    dirtyKinds.clear()
  }

  return {
    put: (entry) => void groupOf(entry)?.members.add(entry),
    remove: (entry) => void groupOf(entry)?.members.delete(entry),
    touch: (entry) => void groupOf(entry),
    takeChanged() {
      refresh()
      const taken = [...changed].filter((group) => !isOutside(byKind, group))
      changed.clear()
      return taken
    },
    list() {
      refresh()
      const all = [...byKind.values()]
      const zones = all.flatMap((groups) => [...groups.zones.values()].filter(({ zone }) => zone !== null))
      return { zones, city: all.map(({ city }) => city) }
    },
  }
}

function createGroup(kind: Kind, zone: string | null): ZoneGroup {
  const sums = sumUp(kind, [])
  const view = toAggregate(kind, zone, sums)
  return { kind, zone, members: new Set(), sums, view, json: JSON.stringify(view), changedAt: 0 }
}

function isOutside(byKind: Map<string, KindGroups>, group: ZoneGroup): boolean {
  return group.zone === null && byKind.get(group.kind.id)?.city !== group
}
