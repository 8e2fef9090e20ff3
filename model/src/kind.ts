import { AppError } from './errors.ts'
import type { Text } from './text.ts'
import type { UnitCode } from './units.ts'

export type MetricValue = number | string
export type Values = Readonly<Record<string, MetricValue>>

/** How a metric is summed up over a period. `counter` rises for ever, its sum is the difference of its ends. */
export type Rollup = 'mean' | 'last' | 'counter' | 'share'

export interface NumberMetric {
  type: 'number'
  title: Text
  unit: UnitCode
  /** Plausible range, both ends included; a value beyond it is quarantined, never clipped. */
  min: number
  max: number
  integer?: boolean
  /** A share from 0 to 1 that people read in percent; what is stored and sent stays 0 to 1. */
  percent?: true
  /** Digits after the point that a person should see. */
  decimals: number
  rollup: Rollup
  /** Open data and the citizens' pages leave it out. */
  internal?: boolean
}

export interface StateMetric {
  type: 'state'
  title: Text
  values: readonly string[]
  rollup: 'share'
  internal?: boolean
}

export type Metric = NumberMetric | StateMetric

/** One entry of a kind's legend. Colour is never alone: `symbol` says the same without it. */
export interface StateDefinition {
  id: string
  title: Text
  /** `#rrggbb`, told apart from its neighbours in the three common forms of colour blindness. */
  colour: string
  /** One character drawn on or beside the colour. */
  symbol: string
  /** It says that nothing can be said (like `unknown`): left out where the worst state is looked for. */
  noVerdict?: true
}

/** The mean of a metric over the hour before the newest reading. */
export interface HourlyMean {
  mean: number
  /** Readings present ÷ readings expected from the reporting interval, at most 1. */
  coverage: number
}

export type Attributes = Readonly<Record<string, string | number | boolean>>

/** What a kind may look at to say how a sensor stands. */
export interface StateInput {
  /** The newest value of each metric. */
  values: Values
  /** Hourly means, for the metrics that the kind lists under `hourlyMetrics`. */
  hourly: Readonly<Record<string, HourlyMean>>
  attributes: Attributes
}

/** A number that sums up a zone's sensors of one kind; offline sensors count only in `total` and among the `unknown`. */
export type Figure = { id: string; title: Text } & (
  { of: 'count'; state?: string } | { of: 'sum'; metric: string } | { of: 'mean'; metric: string }
)

/** Of kinds that people look for a free one of: which figures say so, and what they are sent to. */
export interface Availability {
  /**
   * `sensor`: each is a place that counts its own (`free` and `total` are sums of a metric); `zone`: a zone's sensors are
   * one place together (`free` counts those in a state).
   */
  place: 'sensor' | 'zone'
  /** Figures by id. */
  free: string
  total: string
  /** States in which nothing is to be had, whatever the number says. */
  closed?: readonly string[]
}

/** A value that cannot be right beside the others. */
export interface Rejection {
  metric: string
  reason: QuarantineReason
  detail: string
}

/** Why something was kept aside instead of stored. Stable: metrics and operators' filters use these words. */
export const QUARANTINE_REASONS = [
  'empty-payload',
  'invalid-json',
  'invalid-payload',
  'batch-too-large',
  'unknown-kind',
  'kind-mismatch',
  'unknown-sensor',
  'invalid-time',
  'clock',
  'wrong-type',
  'unknown-value',
  'out-of-range',
  'over-capacity',
] as const
export type QuarantineReason = (typeof QUARANTINE_REASONS)[number]

/**
 * Everything the platform needs to know about one kind of sensor. Adding a kind means adding one file that
 * default-exports `defineKind({…})` under `model/src/kinds/`.
 */
export interface Kind {
  /** Part of topics, table names and addresses: `a-z`, digits and `_`, a letter first, at most 32. */
  id: string
  title: Text
  plural: Text
  /** Beside these, every kind has `batteryLevel` and `rssi`. */
  metrics: Readonly<Record<string, Metric>>
  /** The longest a healthy sensor stays silent; a sensor's attribute `intervalMs` goes before it. */
  intervalMs: number
  /** After how many silent intervals a value is no longer `fresh`, and when it is no value any more. */
  staleAfterIntervals: number
  offlineAfterIntervals: number
  /** The legend, best first; must contain `unknown`. */
  states: readonly StateDefinition[]
  /** How a sensor stands, one of the ids in `states`. Called with what is known, which may be nothing. */
  toState(input: StateInput): string
  /** Values that contradict each other or the sensor's known capacity. */
  check?(values: Values, known: { values: Values; attributes: Attributes }): Rejection[]
  /** Metrics whose hourly mean `toState` needs. */
  hourlyMetrics?: readonly string[]
  /** What is worth showing of a zone, the most important first. */
  figures: readonly Figure[]
  /** Present: the kind takes part in the answers to "where is one free?". */
  availability?: Availability
  /** The metric a person asks for first; the state itself when absent. */
  headlineMetric?: string
  /** Where it stands among the kinds on the pages: small first. */
  order: number
  /** A payload that a newcomer can send as a first reading. */
  example: Values
  /** What NGSI-LD calls it: one of the Smart Data Models. */
  entity: EntityDefinition
  /** Where a sensor measures what belongs to another model too: those take their `metrics` out of `entity`. */
  furtherEntities?: readonly (EntityDefinition & { metrics: readonly string[] })[]
}

/** How a sensor is told as an NGSI-LD entity. A metric is the attribute of its own name unless said otherwise here. */
export interface EntityDefinition {
  type: string
  /** Attributes that are the same for every entity, like `category`. */
  constants?: Readonly<Record<string, unknown>>
  /** Address of the JSON-LD context that the model is published with. */
  context?: string
  /** Only these metrics; all that no further entity takes when absent. */
  metrics?: readonly string[]
  /** Metric → attribute, where the model calls it otherwise; `null` where the model knows no such thing. */
  attributes?: Readonly<Record<string, string | null>>
  /** Attributes that hold the newest reading's time. */
  timeAttributes?: readonly string[]
  /** Attributes that hold when the newest reading's measuring began and ended: one reporting interval. */
  periodAttributes?: { from: string; to: string }
  /** The attribute that says how the sensor stands while no metric of that name does, and the states it may say. */
  state?: { attribute: string; values: readonly string[] }
  /** Attributes worked out of the metrics that are not offline. */
  derive?(values: Values): Values
  /** The zone as an entity of its own that its sensors belong to: which of its figures are which attributes. */
  zone?: {
    type: string
    constants?: Readonly<Record<string, unknown>>
    /** The sensor's relationship to it. */
    reference: string
    /** Figure → attribute. */
    figures: Readonly<Record<string, string>>
  }
}

/** Metrics that every sensor may send about itself. */
export const DEVICE_METRICS: Readonly<Record<string, Metric>> = {
  batteryLevel: {
    type: 'number',
    title: { en: 'Battery', es: 'Batería', fr: 'Batterie' },
    unit: '1',
    percent: true,
    min: 0,
    max: 1,
    decimals: 0,
    rollup: 'last',
    internal: true,
  },
  rssi: {
    type: 'number',
    title: { en: 'Signal', es: 'Señal', fr: 'Signal' },
    unit: 'dB[mW]',
    min: -200,
    max: 20,
    decimals: 0,
    rollup: 'mean',
    internal: true,
  },
}

export const UNKNOWN_STATE = 'unknown'

const KIND_ID = /^[a-z][a-z0-9_]{0,31}$/
const METRIC_ID = /^[A-Za-z][A-Za-z0-9_]{0,63}$/
const RESERVED_METRICS = new Set(['time', 'received_at', 'sensor_id'])

/**
 * Checks a kind file's definition and adds the device metrics, so that a mistake shows at start and not in a reading.
 * @throws AppError `invalid-kind` with every mistake in `details`
 */
export function defineKind(kind: Kind): Kind {
  const mistakes: string[] = []
  if (!KIND_ID.test(kind.id)) mistakes.push(`id '${kind.id}' must match ${KIND_ID.source}`)
  for (const name of Object.keys(kind.metrics)) {
    if (!METRIC_ID.test(name) || RESERVED_METRICS.has(name))
      mistakes.push(`metric '${name}' is not a usable name`)
    if (name in DEVICE_METRICS) mistakes.push(`metric '${name}' is there for every kind already`)
  }
  const metrics = { ...kind.metrics, ...DEVICE_METRICS }
  if (!kind.states.some((state) => state.id === UNKNOWN_STATE))
    mistakes.push(`states lack '${UNKNOWN_STATE}'`)
  for (const figure of kind.figures) {
    if ('metric' in figure && metrics[figure.metric]?.type !== 'number') {
      mistakes.push(`figure '${figure.id}' needs a number metric, '${figure.metric}' is none`)
    }
    if (
      figure.of === 'count' &&
      figure.state !== undefined &&
      !kind.states.some((state) => state.id === figure.state)
    ) {
      mistakes.push(`figure '${figure.id}' counts the state '${figure.state}', which is not in states`)
    }
  }
  mistakes.push(...findAvailabilityMistakes(kind))
  for (const name of Object.keys(kind.example)) {
    if (!(name in metrics)) mistakes.push(`the example sends '${name}', which is not one of the metrics`)
  }
  for (const name of [...(kind.hourlyMetrics ?? []), ...(kind.headlineMetric ? [kind.headlineMetric] : [])]) {
    if (!(name in metrics)) mistakes.push(`'${name}' is not one of the metrics`)
  }
  mistakes.push(...findEntityMistakes({ ...kind, metrics }))
  if (!(kind.staleAfterIntervals > 0 && kind.offlineAfterIntervals > kind.staleAfterIntervals)) {
    mistakes.push('offlineAfterIntervals must be greater than staleAfterIntervals, both positive')
  }
  if (mistakes.length > 0) {
    throw new AppError('invalid-kind', `The kind '${kind.id}' has mistakes:\n  ${mistakes.join('\n  ')}`, {
      details: mistakes,
    })
  }
  return { ...kind, metrics }
}

function findEntityMistakes({ entity, furtherEntities = [], ...kind }: Kind): string[] {
  return [entity, ...furtherEntities].flatMap(({ type, metrics = [], attributes = {}, state, zone }) => {
    const named = [...metrics, ...Object.keys(attributes)].filter(
      (name) => !Object.hasOwn(kind.metrics, name),
    )
    const states = (state?.values ?? []).filter((id) => !kind.states.some((known) => known.id === id))
    const figures = Object.keys(zone?.figures ?? {}).filter((id) => !kind.figures.some((it) => it.id === id))
    return [
      ...named.map((name) => `the entity '${type}' names '${name}', which is not one of the metrics`),
      ...states.map((id) => `the entity '${type}' names the state '${id}', which is not in states`),
      ...figures.map((id) => `the entity '${type}' names the figure '${id}', which is not in figures`),
    ]
  })
}

function findAvailabilityMistakes({ availability, figures, states }: Kind): string[] {
  if (!availability) return []
  const wanted = availability.place === 'sensor' ? 'sum' : 'count'
  const unknown = (availability.closed ?? []).filter((state) => !states.some(({ id }) => id === state))
  const wrong = (['free', 'total'] as const)
    .filter((role) => !figures.some(({ id, of }) => id === availability[role] && of === wanted))
    .map((role) => `availability.${role} '${availability[role]}' must be a figure that is a ${wanted}`)
  return [...wrong, ...unknown.map((state) => `availability.closed '${state}' is not in states`)]
}

/** The kinds of this city, by id, in the order of the pages. */
export type Kinds = ReadonlyMap<string, Kind>

/** @throws AppError `duplicate-kind` */
export function toKinds(list: readonly Kind[]): Kinds {
  const kinds = new Map<string, Kind>()
  for (const kind of list.toSorted((a, b) => a.order - b.order || a.id.localeCompare(b.id))) {
    if (kinds.has(kind.id)) throw new AppError('duplicate-kind', `Two files define the kind '${kind.id}'`)
    kinds.set(kind.id, kind)
  }
  return kinds
}
