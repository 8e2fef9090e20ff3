import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Entities, Entity } from './entities.ts'
import type { EntityTest } from './filter.ts'
import type { PlaceTest } from './place.ts'

/** How many entities are looked at before others have their turn. */
const SLICE_ENTITIES = 2_000

export interface SearchQuery {
  types: ReadonlySet<string> | undefined
  ids: readonly string[]
  /** Only entities with at least one of these. */
  attributes: ReadonlySet<string> | undefined
  filter: EntityTest | undefined
  place: PlaceTest | undefined
  offset: number
  limit: number
  /** All are counted, which means to look at all. */
  hasCount: boolean
  nowMs: number
}

export interface SearchResult {
  entities: Entity[]
  hasMore: boolean
  /** How many there are on all pages; only when asked for. */
  count: number | undefined
}

/** A page of the entities that a query means, in slices: a question to all 100,000 keeps nobody else waiting. */
export async function searchEntities(entities: Entities, query: SearchQuery): Promise<SearchResult> {
  const { offset, limit, hasCount } = query
  const page: Entity[] = []
  let found = 0
  let looked = 0
  for (const entity of toCandidates(entities, query)) {
    looked += 1
    if (looked % SLICE_ENTITIES === 0) await nextTurn()
    if (!isMeant(entity, query)) continue
    found += 1
    if (found > offset && page.length < limit) page.push(entity)
    if (!hasCount && found > offset + limit) break
  }
  return { entities: page, hasMore: found > offset + limit, count: hasCount ? found : undefined }
}

function toCandidates(entities: Entities, { types, ids, nowMs }: SearchQuery): Iterable<Entity> {
  if (ids.length === 0) return entities.list(types, nowMs)
  const named = ids.map((id) => entities.find(id, nowMs)).filter((entity) => entity !== undefined)
  return types ? named.filter(({ type }) => types.has(type)) : named
}

function isMeant(entity: Entity, { attributes, filter, place }: SearchQuery): boolean {
  if (place && !place(entity.position)) return false
  if (filter && !filter(entity)) return false
  return attributes === undefined || [...attributes].some((name) => entity.read(name) !== undefined)
}
