import type { LiveEvent, SensorFeature, ZoneAggregate, ZonesView } from '@pulso/model'

/** What is known of the city now. Replaced as a whole on every change, so that whoever holds it sees one moment. */
export interface LiveState {
  sensors: ReadonlyMap<string, SensorFeature>
  /** By kind and zone. */
  aggregates: ReadonlyMap<string, ZoneAggregate>
  /** Server's time of the newest event, ms since 1970; undefined before the first. */
  timeMs: number | undefined
}

export const EMPTY_STATE: LiveState = { sensors: new Map(), aggregates: new Map(), timeMs: undefined }

export function aggregateKey(kind: string, zone: string | null): string {
  return `${kind}/${zone ?? ''}`
}

/** The sums that a page load fetches once, so that the list stands before the live feed speaks. */
export function applyZones(state: LiveState, view: ZonesView): LiveState {
  return { ...state, aggregates: mergeAggregates(state.aggregates, view), timeMs: Date.parse(view.time) }
}

/** A snapshot says everything about its kinds' sensors: what it leaves out is gone. */
export function applySnapshot(state: LiveState, event: LiveEvent, kind: string): LiveState {
  const others = [...state.sensors].filter(([, sensor]) => sensor.properties.kind !== kind)
  return {
    sensors: new Map([...others, ...event.sensors.map((sensor) => [sensor.id, sensor] as const)]),
    aggregates: mergeAggregates(state.aggregates, event),
    timeMs: Date.parse(event.time),
  }
}

/** A delta replaces what was known of its sensors and zones. */
export function applyDelta(state: LiveState, event: LiveEvent): LiveState {
  const sensors = new Map(state.sensors)
  for (const sensor of event.sensors) sensors.set(sensor.id, sensor)
  return {
    sensors,
    aggregates: mergeAggregates(state.aggregates, event),
    timeMs: Date.parse(event.time),
  }
}

/** Sensors of one kind, in one zone or (zone `undefined`) everywhere, by name. */
export function listSensors(
  state: LiveState,
  { kind, zone }: { kind: string; zone: string | null | undefined },
): SensorFeature[] {
  return [...state.sensors.values()]
    .filter(({ properties }) => properties.kind === kind && (zone === undefined || properties.zone === zone))
    .sort((one, other) => compareNames(nameOf(one), nameOf(other)))
}

export function nameOf(sensor: SensorFeature): string {
  return sensor.properties.name ?? sensor.id
}

const collator = new Intl.Collator(undefined, { numeric: true })

function compareNames(one: string, other: string): number {
  return collator.compare(one, other)
}

function mergeAggregates(
  known: ReadonlyMap<string, ZoneAggregate>,
  news: { zones: readonly ZoneAggregate[]; city: readonly ZoneAggregate[] },
): ReadonlyMap<string, ZoneAggregate> {
  const merged = new Map(known)
  for (const sum of [...news.zones, ...news.city]) merged.set(aggregateKey(sum.kind, sum.zone), sum)
  return merged
}
