import {
  reportingIntervalMs,
  toFreshness,
  toIsoTime,
  UNITS,
  type EntityDefinition,
  type Kind,
  type MetricValue,
} from '@pulso/model'
import type { Entry } from '../../current/entry.ts'
import { isPublic } from '../../current/features.ts'

/** An attribute as NGSI-LD writes it in full. */
export type Attribute =
  | { type: 'Property'; value: unknown; observedAt?: string; unitCode?: string }
  | { type: 'GeoProperty'; value: unknown }
  | { type: 'Relationship'; object: string }

/** One attribute of whatever it is read from; `undefined` where there is nothing to say. */
export type ReadAttribute<Source> = (source: Source, nowMs: number) => Attribute | undefined

/** How a kind's sensors are written as one of its entities, worked out once. */
export interface EntityPlan {
  definition: EntityDefinition
  kind: Kind
  attributes: ReadonlyMap<string, ReadAttribute<Entry>>
  /** Attributes of which only the values tell whether they are there. */
  derive?(entry: Entry, nowMs: number): ReadonlyMap<string, Attribute>
  /** Whether the sensor measures what this entity is about. */
  isOne(entry: Entry): boolean
}

/** A kind's entities: its own, and those that take some of its metrics. */
export function planEntities(kind: Kind, zoneNames: ReadonlyMap<string, string>): EntityPlan[] {
  const further = kind.furtherEntities ?? []
  const taken = new Set(further.flatMap(({ metrics }) => metrics))
  const own = Object.keys(kind.metrics).filter((metric) => isPublic(kind, metric))
  const rest = kind.entity.metrics ?? own.filter((metric) => !taken.has(metric))
  const main = planEntity(kind, { definition: kind.entity, metrics: rest, zoneNames })
  const others = further.map((definition) =>
    planEntity(kind, { definition, metrics: definition.metrics, zoneNames }),
  )
  return [
    // A station that measures only what belongs elsewhere is only that.
    { ...main, isOne: (entry) => hasAny(entry, rest) || !others.some(({ isOne }) => isOne(entry)) },
    ...others,
  ]
}

interface PlanOptions {
  definition: EntityDefinition
  metrics: readonly string[]
  zoneNames: ReadonlyMap<string, string>
}

function planEntity(kind: Kind, { definition, metrics, zoneNames }: PlanOptions): EntityPlan {
  const { constants = {}, attributes: names = {}, derive, state } = definition
  const attributes = new Map<string, ReadAttribute<Entry>>()
  for (const [name, value] of Object.entries(constants))
    attributes.set(name, () => ({ type: 'Property', value }))
  attributes.set('name', ({ sensor }) => toProperty(sensor.name))
  attributes.set('location', ({ sensor: { position } }) =>
    position
      ? { type: 'GeoProperty', value: { type: 'Point', coordinates: [position.lon, position.lat] } }
      : undefined,
  )
  attributes.set('areaServed', ({ zone }) => toProperty(zone === null ? null : zoneNames.get(zone)))
  for (const metric of metrics) {
    const name = Object.hasOwn(names, metric) ? names[metric] : metric
    if (name !== null && name !== undefined) attributes.set(name, readMetric(kind, metric))
  }
  if (state) attributes.set(state.attribute, readState(state, attributes.get(state.attribute)))
  for (const [name, read] of planTimes(definition)) attributes.set(name, read)
  if (definition.zone) {
    const { reference, type } = definition.zone
    attributes.set(reference, ({ zone }) =>
      zone === null ? undefined : { type: 'Relationship', object: toEntityId(type, zone) },
    )
  }
  return {
    definition,
    kind,
    attributes,
    ...(derive && { derive: (entry, nowMs) => readDerived(entry, { derive, metrics, nowMs }) }),
    isOne: (entry) => hasAny(entry, metrics),
  }
}

/** The registry's ids are made of letters that a URN may have, too. */
export function toEntityId(type: string, id: string): string {
  return `urn:ngsi-ld:${type}:${id}`
}

/** The newest value while it is one, else what the registry says of the sensor. */
function readMetric(kind: Kind, metric: string): ReadAttribute<Entry> {
  const definition = kind.metrics[metric]
  const unitCode =
    definition?.type === 'number' && definition.unit !== '1' ? UNITS[definition.unit].uncefact : undefined
  const unit = unitCode === undefined ? {} : { unitCode }
  return (entry, nowMs) => {
    const timed = entry.state?.values[metric]
    if (!timed) {
      const fixed = definition?.type === 'number' ? entry.sensor.attributes[metric] : undefined
      return typeof fixed === 'number' ? { type: 'Property', value: fixed, ...unit } : undefined
    }
    if (toFreshness(entry.rules, timed.timeMs, nowMs) === 'offline') return undefined
    return { type: 'Property', value: timed.value, observedAt: toIsoTime(timed.timeMs), ...unit }
  }
}

function readState(
  { values }: NonNullable<EntityDefinition['state']>,
  measured: ReadAttribute<Entry> | undefined,
): ReadAttribute<Entry> {
  const known = new Set(values)
  return (entry, nowMs) => {
    const attribute = measured?.(entry, nowMs)
    if (attribute) return attribute
    if (!known.has(entry.stands)) return undefined
    return { type: 'Property', value: entry.stands, ...observedAt(entry) }
  }
}

function planTimes({
  timeAttributes = [],
  periodAttributes,
}: EntityDefinition): [string, ReadAttribute<Entry>][] {
  const readTime =
    (lengthOf: (entry: Entry) => number): ReadAttribute<Entry> =>
    (entry) => {
      const timeMs = entry.state?.timeMs ?? 0
      if (timeMs <= 0) return undefined
      const time = toIsoTime(timeMs - lengthOf(entry))
      return { type: 'Property', value: { '@type': 'DateTime', '@value': time } }
    }
  const now = readTime(() => 0)
  const times = timeAttributes.map((name): [string, ReadAttribute<Entry>] => [name, now])
  if (!periodAttributes) return times
  return [
    ...times,
    [periodAttributes.from, readTime(({ rules }) => reportingIntervalMs(rules))],
    [periodAttributes.to, now],
  ]
}

function readDerived(
  entry: Entry,
  {
    derive,
    metrics,
    nowMs,
  }: { derive: NonNullable<EntityDefinition['derive']>; metrics: readonly string[]; nowMs: number },
): ReadonlyMap<string, Attribute> {
  const values: Record<string, MetricValue> = {}
  for (const metric of metrics) {
    const read = readMetric(entry.kind, metric)(entry, nowMs)
    if (read?.type === 'Property') values[metric] = read.value as MetricValue
  }
  const derived = Object.entries(derive(values))
  return new Map(derived.map(([name, value]) => [name, { type: 'Property', value, ...observedAt(entry) }]))
}

function observedAt({ state }: Entry): { observedAt?: string } {
  return state && state.timeMs > 0 ? { observedAt: toIsoTime(state.timeMs) } : {}
}

function toProperty(value: string | null | undefined): Attribute | undefined {
  return value === null || value === undefined ? undefined : { type: 'Property', value }
}

function hasAny({ state, sensor }: Entry, metrics: readonly string[]): boolean {
  return metrics.some(
    (metric) => state?.values[metric] !== undefined || sensor.attributes[metric] !== undefined,
  )
}
