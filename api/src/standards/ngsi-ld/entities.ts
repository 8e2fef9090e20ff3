import { toIsoTime, type City, type Kinds, type Position, type Zone } from '@pulso/model'
import type { CurrentState } from '../../current/current-state.ts'
import type { Entry } from '../../current/entry.ts'
import type { Group } from '../../current/groups.ts'
import { toLabelPosition } from '../../tiles/mercator.ts'
import { planEntities, toEntityId, type Attribute, type EntityPlan } from './attributes.ts'

/** Something that is asked about; its attributes are read when they are needed. */
export interface Entity {
  id: string
  type: string
  /** Where it is; a zone is at its label. */
  position: Position | null
  read(name: string): Attribute | undefined
  readAll(): ReadonlyMap<string, Attribute>
  createdAt?: string
  modifiedAt?: string
}

export interface Entities {
  types(): string[]
  /** In the order of types and ids. */
  list(types: ReadonlySet<string> | undefined, nowMs: number): Generator<Entity>
  find(id: string, nowMs: number): Entity | undefined
  /** Addresses of the models' own JSON-LD contexts. */
  contexts(): string[]
}

const CORE_CONTEXT = 'https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld'
const ID = /^urn:ngsi-ld:([^:]{1,64}):(.{1,128})$/

export interface EntitiesOptions {
  city: City
  kinds: Kinds
  current: CurrentState
}

/** Sensors, and the zones that they refer to, as entities of the Smart Data Models. Kinds say how. */
export function createEntities({ city, kinds, current }: EntitiesOptions): Entities {
  const zoneNames = new Map(city.zones.map(({ id, name }) => [id, name]))
  const plans = [...kinds.values()].flatMap((kind) => planEntities(kind, zoneNames))
  const zones = new Map(
    city.zones.map((zone) => [zone.id, { zone, position: toLabelPosition(zone.geometry) }]),
  )
  const types = [
    ...new Set(plans.flatMap(({ definition: { type, zone } }) => (zone ? [type, zone.type] : [type]))),
  ].sort()

  const groupsOf = ({ kind }: EntityPlan): Group[] =>
    current
      .groups()
      .zones.filter((group) => group.kind.id === kind.id)
      .sort((a, b) => ((a.zone ?? '') < (b.zone ?? '') ? -1 : 1))

  const toZone = (plan: EntityPlan, group: Group): Entity[] => {
    const place = group.zone === null ? undefined : zones.get(group.zone)
    return place ? [toZoneEntity(plan, { group, ...place })] : []
  }

  function* listType(type: string, nowMs: number): Generator<Entity> {
    for (const plan of plans) {
      if (plan.definition.zone?.type === type) for (const group of groupsOf(plan)) yield* toZone(plan, group)
      if (plan.definition.type !== type) continue
      // A copy: others have their turn while this goes on, and the list is sorted in place.
      for (const entry of current.list().slice())
        if (entry.kind.id === plan.kind.id && plan.isOne(entry)) yield toSensorEntity(plan, entry, nowMs)
    }
  }

  return {
    types: () => types,
    *list(wanted, nowMs) {
      for (const type of types) if (wanted?.has(type) ?? true) yield* listType(type, nowMs)
    },
    find(id, nowMs) {
      const [, type = '', localId = ''] = ID.exec(id) ?? []
      const entry = current.get(localId)
      for (const plan of plans) {
        const isOne =
          entry && plan.definition.type === type && entry.kind.id === plan.kind.id && plan.isOne(entry)
        if (isOne) return toSensorEntity(plan, entry, nowMs)
        if (plan.definition.zone?.type !== type) continue
        const group = groupsOf(plan).find(({ zone }) => zone === localId)
        const [found] = group ? toZone(plan, group) : []
        if (found) return found
      }
      return undefined
    },
    contexts() {
      const models = plans.flatMap(({ definition: { context } }) => (context === undefined ? [] : [context]))
      return [...new Set(models), CORE_CONTEXT]
    },
  }
}

function toSensorEntity(plan: EntityPlan, entry: Entry, nowMs: number): Entity {
  const { sensor, state } = entry
  const { type } = plan.definition
  return {
    id: toEntityId(type, sensor.id),
    type,
    position: sensor.position,
    read: (name) => plan.attributes.get(name)?.(entry, nowMs) ?? plan.derive?.(entry, nowMs).get(name),
    readAll() {
      const all = new Map<string, Attribute>()
      for (const [name, read] of plan.attributes) {
        const attribute = read(entry, nowMs)
        if (attribute) all.set(name, attribute)
      }
      for (const [name, attribute] of plan.derive?.(entry, nowMs) ?? [])
        if (!all.has(name)) all.set(name, attribute)
      return all
    },
    createdAt: toIsoTime(sensor.createdAtMs),
    modifiedAt: toIsoTime(Math.max(sensor.createdAtMs, state?.receivedAtMs ?? 0)),
  }
}

function toZoneEntity(
  { definition }: EntityPlan,
  { group, zone, position }: { group: Group; zone: Zone; position: Position },
): Entity {
  const { type = '', constants = {}, figures = {} } = definition.zone ?? {}
  const { view } = group
  const observed = view.time === null ? {} : { observedAt: view.time }
  const readAll = (): Map<string, Attribute> => {
    const all = new Map<string, Attribute>([
      ['name', { type: 'Property', value: zone.name }],
      ['location', { type: 'GeoProperty', value: zone.geometry }],
      ['areaServed', { type: 'Property', value: zone.name }],
    ])
    for (const [name, value] of Object.entries(constants)) all.set(name, { type: 'Property', value })
    for (const [figure, attribute] of Object.entries(figures)) {
      const value = view.figures[figure]
      if (typeof value === 'number') all.set(attribute, { type: 'Property', value, ...observed })
    }
    return all
  }
  return { id: toEntityId(type, zone.id), type, position, read: (name) => readAll().get(name), readAll }
}
