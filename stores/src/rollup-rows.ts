import { rollupFields, type Kind, type MetricValue, type RollupField } from '@pulso/model'

/** One row of aggregates while it is worked out: a number for each field in the kind's order, texts beside it. */
export interface RollupRow {
  /** By the field's index; NaN: not known. */
  numbers: Float64Array
  /** The newest value of each state, by the metric's `textIndex`. */
  texts: (string | undefined)[]
  elapsedMs: number
}

/** Where the parts of a metric stand in a row. */
export interface MetricPlaces {
  name: string
  fields: readonly { field: RollupField; index: number }[]
  count: number
  last: number
  lastAt: number
  /** Of numbers. */
  number: { sum: number; min: number; max: number; increase: number | undefined } | undefined
  /** Of states: where the time in each is counted. */
  states: ReadonlyMap<string, number> | undefined
  /** Numbers the metrics of the same type, so that a state's text has a place in `texts`. */
  textIndex: number
}

export interface RollupLayout {
  metrics: ReadonlyMap<string, MetricPlaces>
  size: number
}

export function createRollupLayout(kind: Kind): RollupLayout {
  const fields = rollupFields(kind).map((field, index) => ({ field, index }))
  const metrics = new Map<string, MetricPlaces>()
  for (const [name, own] of Map.groupBy(fields, ({ field }) => field.metric)) {
    metrics.set(name, toPlaces(name, own, metrics.size))
  }
  return { metrics, size: fields.length }
}

export function createRollupRow({ size }: RollupLayout): RollupRow {
  return { numbers: new Float64Array(size).fill(NaN), texts: [], elapsedMs: 0 }
}

/** Counts one value, which must be newer than those before it or of a greater sensor id. */
export function countValue(
  { numbers, texts }: RollupRow,
  places: MetricPlaces,
  { timeMs, value }: { timeMs: number; value: MetricValue },
): void {
  add(numbers, places.count, 1)
  numbers[places.lastAt] = timeMs
  if (typeof value === 'string') {
    texts[places.textIndex] = value
    return
  }
  numbers[places.last] = value
  if (!places.number) return
  add(numbers, places.number.sum, value)
  lower(numbers, places.number.min, value)
  raise(numbers, places.number.max, value)
}

/**
 * Adds a row to another of the same layout. Of equally new values the one added later stays: add sensors in the order of
 * their ids, and buckets in the order of time.
 */
export function addRow(layout: RollupLayout, into: RollupRow, from: RollupRow): void {
  into.elapsedMs += from.elapsedMs
  for (const places of layout.metrics.values()) addMetric(places, into, from)
}

function addMetric(places: MetricPlaces, into: RollupRow, from: RollupRow): void {
  const numbers = into.numbers
  for (const index of places.states?.values() ?? []) add(numbers, index, at(from.numbers, index))
  if (!(at(from.numbers, places.count) > 0)) return
  add(numbers, places.count, at(from.numbers, places.count))
  if (places.number) {
    const { sum, min, max, increase } = places.number
    add(numbers, sum, at(from.numbers, sum))
    lower(numbers, min, at(from.numbers, min))
    raise(numbers, max, at(from.numbers, max))
    if (increase !== undefined) add(numbers, increase, at(from.numbers, increase))
  }
  if (at(from.numbers, places.lastAt) < at(numbers, places.lastAt)) return
  numbers[places.lastAt] = at(from.numbers, places.lastAt)
  numbers[places.last] = at(from.numbers, places.last)
  into.texts[places.textIndex] = from.texts[places.textIndex]
}

/** The known parts of a metric by field name. */
export function toParts({ numbers, texts }: RollupRow, places: MetricPlaces): Record<string, MetricValue> {
  const parts: Record<string, MetricValue> = {}
  for (const { field, index } of places.fields) {
    const value = field.type === 'text' ? texts[places.textIndex] : at(numbers, index)
    if (value !== undefined && !Number.isNaN(value)) parts[field.name] = value
  }
  return parts
}

/** Adds to a number of a row; what is not known adds nothing. */
export function add(numbers: Float64Array, index: number, value: number): void {
  if (Number.isNaN(value)) return
  const sum = at(numbers, index)
  numbers[index] = Number.isNaN(sum) ? value : sum + value
}

function lower(numbers: Float64Array, index: number, value: number): void {
  // Written so that NaN, not known, gives way.
  if (!(at(numbers, index) <= value)) numbers[index] = value
}

function raise(numbers: Float64Array, index: number, value: number): void {
  if (!(at(numbers, index) >= value)) numbers[index] = value
}

function at(numbers: Float64Array, index: number): number {
  return numbers[index] ?? NaN
}

function toPlaces(
  name: string,
  fields: { field: RollupField; index: number }[],
  textIndex: number,
): MetricPlaces {
  const find = (part: RollupField['part']): number | undefined =>
    fields.find(({ field }) => field.part === part)?.index
  const of = (part: RollupField['part']): number => find(part) ?? -1
  const held = fields.flatMap(({ field: { state }, index }) =>
    state === undefined ? [] : [[state, index] as const],
  )
  return {
    name,
    fields,
    textIndex,
    count: of('count'),
    last: of('last'),
    lastAt: of('last_at'),
    number:
      find('sum') === undefined
        ? undefined
        : { sum: of('sum'), min: of('min'), max: of('max'), increase: find('increase') },
    states: find('sum') === undefined ? new Map(held) : undefined,
  }
}
