/**
 * The shapes that the HTTP interface speaks, shared by the API (which validates and documents with them) and by the
 * web app and simulators (which import the types alone).
 */
import { Type, type Static } from 'typebox'
import { CitySchema } from './city.ts'
import { FRESHNESS } from './freshness.ts'

const IsoTime = Type.String({ format: 'date-time', description: 'ISO 8601 in UTC' })
const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])
const FreshnessSchema = Type.Enum([...FRESHNESS])
const TextSchema = Type.Object({ en: Type.String(), es: Type.String(), fr: Type.String() })
const MetricValueSchema = Type.Union([Type.Number(), Type.String()])

export const MetricView = Type.Object({
  id: Type.String(),
  type: Type.Enum(['number', 'state']),
  title: TextSchema,
  /** UCUM code and what people read; absent for states. */
  unit: Type.Optional(Type.String()),
  symbol: Type.Optional(Type.String()),
  decimals: Type.Optional(Type.Integer()),
  /** A share from 0 to 1 that people read in percent. */
  percent: Type.Optional(Type.Boolean()),
  min: Type.Optional(Type.Number()),
  max: Type.Optional(Type.Number()),
  values: Type.Optional(Type.Array(Type.String())),
})
export type MetricView = Static<typeof MetricView>

export const KindView = Type.Object({
  id: Type.String(),
  title: TextSchema,
  plural: TextSchema,
  metrics: Type.Array(MetricView),
  /** The legend, best first. */
  states: Type.Array(
    Type.Object({
      id: Type.String(),
      title: TextSchema,
      colour: Type.String(),
      symbol: Type.String(),
      noVerdict: Type.Optional(Type.Boolean()),
    }),
  ),
  figures: Type.Array(
    Type.Object({ id: Type.String(), title: TextSchema, metric: Type.Optional(Type.String()) }),
  ),
  headlineMetric: Nullable(Type.String()),
  intervalMs: Type.Integer(),
})
export type KindView = Static<typeof KindView>

export const CityView = Type.Object({
  name: Type.String(),
  bounds: CitySchema.properties.bounds,
  timeZone: Type.String(),
  languages: Type.Array(Type.String()),
  attribution: Nullable(Type.String()),
  kinds: Type.Array(KindView),
  zones: Type.Array(Type.Object({ id: Type.String(), name: Type.String(), geometry: Type.Unknown() })),
  basemap: Nullable(Type.Enum(['schematic', 'pmtiles'])),
  /** Changes with the schematic: as `?v=` behind its address it lets browsers keep it for good. */
  basemapVersion: Type.Optional(Type.String()),
  /** How far a device's time may lie from ours before its reading is quarantined. */
  clock: Type.Object({ pastMs: Type.Number(), futureMs: Type.Number() }),
})
export type CityView = Static<typeof CityView>

/** A zone's sensors of one kind, summed up. `zone` is null for the sum over the whole city. */
export const ZoneAggregate = Type.Object({
  zone: Nullable(Type.String()),
  kind: Type.String(),
  sensors: Type.Integer({ description: 'All sensors of the kind there, whatever their state' }),
  states: Type.Record(Type.String(), Type.Integer(), { description: 'Sensors by state' }),
  freshness: Type.Object({ fresh: Type.Integer(), stale: Type.Integer(), offline: Type.Integer() }),
  figures: Type.Record(Type.String(), Nullable(Type.Number()), {
    description: 'By figure id; null when nothing is known',
  }),
  time: Nullable(IsoTime),
})
export type ZoneAggregate = Static<typeof ZoneAggregate>

export const ZonesView = Type.Object({
  time: IsoTime,
  zones: Type.Array(ZoneAggregate),
  city: Type.Array(ZoneAggregate),
})
export type ZonesView = Static<typeof ZonesView>

export const SensorFeature = Type.Object({
  type: Type.Literal('Feature'),
  id: Type.String(),
  geometry: Nullable(
    Type.Object({ type: Type.Literal('Point'), coordinates: Type.Tuple([Type.Number(), Type.Number()]) }),
  ),
  properties: Type.Object({
    id: Type.String(),
    kind: Type.String(),
    name: Nullable(Type.String()),
    zone: Nullable(Type.String()),
    state: Type.String(),
    freshness: FreshnessSchema,
    time: Nullable(IsoTime),
    /** The newest value of each public metric that is not yet offline. */
    values: Type.Record(Type.String(), MetricValueSchema),
  }),
})
export type SensorFeature = Static<typeof SensorFeature>

export const SensorCollection = Type.Object({
  type: Type.Literal('FeatureCollection'),
  features: Type.Array(SensorFeature),
  /** Pass it as `cursor` for the next page; null on the last. */
  next: Nullable(Type.String()),
})
export type SensorCollection = Static<typeof SensorCollection>

/** One sensor with each value's own time. */
export const SensorDetail = Type.Object({
  type: Type.Literal('Feature'),
  id: Type.String(),
  geometry: SensorFeature.properties.geometry,
  properties: Type.Object({
    ...SensorFeature.properties.properties.properties,
    receivedAt: Nullable(IsoTime),
    attributes: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
    metrics: Type.Record(
      Type.String(),
      Type.Object({ value: MetricValueSchema, time: IsoTime, freshness: FreshnessSchema }),
    ),
    hourly: Type.Record(Type.String(), Type.Object({ mean: Type.Number(), coverage: Type.Number() })),
  }),
})
export type SensorDetail = Static<typeof SensorDetail>

/** Raw points of one metric, oldest first. */
export const HistoryView = Type.Object({
  sensor: Type.String(),
  metric: Type.String(),
  from: IsoTime,
  to: IsoTime,
  points: Type.Array(Type.Object({ time: IsoTime, value: MetricValueSchema })),
  /** True when the range held more points than are given; the newest are. */
  truncated: Type.Boolean(),
})
export type HistoryView = Static<typeof HistoryView>

/** SSE events `snapshot` and `delta` of `/api/v1/live`. A delta's sensors and zones replace what was known of them. */
export const LiveEvent = Type.Object({
  time: IsoTime,
  sensors: Type.Array(SensorFeature),
  zones: Type.Array(ZoneAggregate),
  city: Type.Array(ZoneAggregate),
})
export type LiveEvent = Static<typeof LiveEvent>

/** RFC 9457. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String({ description: 'Stable, for programs' }),
  detail: Type.String({ description: 'One sentence that helps' }),
  errors: Type.Optional(Type.Array(Type.String())),
})
export type Problem = Static<typeof Problem>

/** The operators' first page. */
export const OpsOverview = Type.Object({
  time: IsoTime,
  startedAt: IsoTime,
  journal: Type.Object({
    depth: Type.Integer(),
    oldestAgeMs: Nullable(Type.Number()),
    bytes: Type.Integer(),
    maxBytes: Type.Number({ description: 'The size at which it takes no more until some are stored' }),
    full: Type.Union([Type.String(), Type.Null()], {
      description: 'Why it takes no messages at the moment: devices are held back then',
    }),
  }),
  ingest: Type.Object({
    state: Type.Enum(['starting', 'running', 'retrying', 'stopped'], {
      description: '`retrying`: a store fails, the journal holds what arrives',
    }),
    error: Type.Union([Type.String(), Type.Null()], { description: 'Why it tries again' }),
    messagesPerSecond: Type.Number(),
    readingsPerSecond: Type.Number(),
    readingsStored: Type.Number(),
    readingsDuplicate: Type.Number(),
    readingsCorrected: Type.Number(),
    messagesQuarantined: Type.Number(),
  }),
  connections: Type.Integer(),
  liveClients: Type.Integer(),
  stores: Type.Array(
    Type.Object({
      name: Type.String(),
      driver: Type.String(),
      ok: Type.Boolean(),
      detail: Nullable(Type.String()),
    }),
  ),
  quarantine: Type.Array(Type.Object({ reason: Type.String(), count: Type.Integer() })),
})
export type OpsOverview = Static<typeof OpsOverview>

export const OpsSensor = Type.Object({
  id: Type.String(),
  kind: Type.String(),
  name: Nullable(Type.String()),
  zone: Nullable(Type.String()),
  placed: Type.Boolean(),
  state: Type.String(),
  freshness: FreshnessSchema,
  presence: Nullable(Type.Enum(['online', 'offline'])),
  batteryLevel: Nullable(Type.Number()),
  rssi: Nullable(Type.Number()),
  time: Nullable(IsoTime),
  receivedAt: Nullable(IsoTime),
  quarantined: Type.Integer({ description: 'Entries kept aside for this sensor' }),
})
export type OpsSensor = Static<typeof OpsSensor>

export const OpsSensors = Type.Object({
  time: IsoTime,
  total: Type.Integer(),
  sensors: Type.Array(OpsSensor),
  next: Nullable(Type.String()),
})
export type OpsSensors = Static<typeof OpsSensors>

export const SessionView = Type.Object({ operator: Type.String(), expiresAt: IsoTime })
export type SessionView = Static<typeof SessionView>
