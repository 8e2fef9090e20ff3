import { DAY_MS, rollupFields, type Bucket, type Kind, type RollupField } from '@pulso/model'
import { PLACES } from './places.ts'
import type { Table } from './schema.ts'
import { quoteIdentifier } from './sql.ts'

/** For the few sensors that hold for longer, the others' readings are not looked at as far back. */
const LONG_HOLD_MS = DAY_MS

/** Buckets of one length behind each other, of which the last may be shorter. */
export interface Run {
  fromMs: number
  toMs: number
  stepMs: number
}

export interface SensorRows {
  table: Table
  run: Run
  nowMs: number
  /** The longest that a value of these sensors holds. */
  maxHoldMs: number
  /** Only of these sensors, in terms of `place`. */
  where?: string | undefined
  /** Only these; all of the kind when absent. */
  fields?: readonly RollupField[] | undefined
}

/** Cuts buckets, in order, into runs of at most so many. */
export function toRuns(buckets: readonly Bucket[], maxBuckets: number): Run[] {
  const runs: (Run & { count: number })[] = []
  for (const { fromMs, toMs } of buckets) {
    const last = runs.at(-1)
    const fits =
      last &&
      last.count < maxBuckets &&
      last.toMs === fromMs &&
      last.toMs - last.fromMs === last.count * last.stepMs &&
      toMs - fromMs <= last.stepMs
    if (fits) {
      last.toMs = toMs
      last.count++
    } else {
      runs.push({ fromMs, toMs, stepMs: toMs - fromMs, count: 1 })
    }
  }
  return runs
}

/**
 * A row per sensor and bucket with `from_ms`, `sensor_id`, `zone`, `elapsed_ms` and the fields, worked out from the
 * readings in one go.
 *
 * Each reading counts in the bucket of its time; one with a state is repeated in each further bucket that the state is
 * held in, for the time held there. What is held when the first bucket begins, and what a counter stood at, comes from
 * the newest readings before it, as far back as the sensor's values hold.
 */
export function sensorRowsSql(asked: SensorRows): string {
  const { run, nowMs } = asked
  const { fromMs, toMs, stepMs } = run
  const columns = nameColumns(asked)
  const { outputs, states, counters, value } = columns
  const at = (metric: string): string => `CASE WHEN ${value(metric)} IS NOT NULL THEN t END`
  const heldUntil = states.map((name) => `${value(name)}_until`)

  return `
  WITH before AS (
    ${beforeSql(asked, columns)}
  ), raw AS (
    ${rawSql(asked, columns)}
  ), neighbours AS (
    SELECT *,
      CASE WHEN t < ${fromMs} THEN -1 ELSE (t - ${fromMs}) // ${stepMs} END AS own${list([
        ...states.map((name) => `lead(${at(name)} IGNORE NULLS) OVER sensor AS ${value(name)}_next`),
        ...counters.flatMap((name) => [
          `lag(${value(name)} IGNORE NULLS) OVER sensor AS ${value(name)}_before`,
          `lag(${at(name)} IGNORE NULLS) OVER sensor AS ${value(name)}_before_at`,
        ]),
      ])}
    FROM raw WINDOW sensor AS (PARTITION BY sensor_id ORDER BY t)
  ), held AS (
    SELECT *${list(
      states.map(
        (name) =>
          `CASE WHEN ${value(name)} IS NOT NULL THEN least(${value(name)}_next, t + hold_ms, ${nowMs}, ${toMs}) END AS ${value(name)}_until`,
      ),
    )}
    FROM neighbours
  ), cut AS (
    SELECT *, unnest(range(greatest(own, 0), ${lastBucket(heldUntil, run)} + 1)) AS bucket FROM held
  ), bounded AS (
    SELECT *, bucket = own AS is_in, ${fromMs} + bucket * ${stepMs} AS from_ms,
      least(${fromMs} + (bucket + 1) * ${stepMs}, ${toMs}) AS to_ms
    FROM cut
  )
  SELECT from_ms, sensor_id, zone, greatest(0, least(to_ms, ${nowMs}) - from_ms) AS elapsed_ms${list(
    outputs.map((field) => `${sensorField(field, value(field.metric))} AS ${quoteIdentifier(field.name)}`),
  )}
  FROM bounded GROUP BY from_ms, to_ms, sensor_id, zone`
}

interface Columns {
  outputs: readonly RollupField[]
  /** Metrics. */
  all: readonly string[]
  states: readonly string[]
  counters: readonly string[]
  /** What a metric is called within the statement, where its own name could be another's. */
  value: (metric: string) => string
}

function nameColumns({ table: { kind }, fields }: SensorRows): Columns {
  const outputs = fields ?? rollupFields(kind)
  // All states, whatever is asked for: by what they hold a sensor is there.
  const states = Object.keys(kind.metrics).filter((metric) => kind.metrics[metric]?.type === 'state')
  const counters = outputs.filter(({ part }) => part === 'increase').map(({ metric }) => metric)
  const all = [...new Set([...outputs.map(({ metric }) => metric), ...states])]
  return { outputs, all, states, counters, value: (metric) => `v${all.indexOf(metric)}` }
}

/** The newest value of each state and counter before the first bucket, of those that still hold. */
function beforeSql(asked: SensorRows, { states, counters, value }: Columns): string {
  const { run, maxHoldMs } = asked
  const carried = [...states, ...counters]
  const values = carried.flatMap((metric) => {
    const column = `reading.${quoteIdentifier(metric)}`
    return [
      `arg_max(${column}, reading.time) AS ${value(metric)}`,
      `epoch_ms(max(reading.time) FILTER (${column} IS NOT NULL)) AS ${value(metric)}_at`,
    ]
  })
  const select = (fromHoldMs: number, untilHoldMs: number): string =>
    `SELECT reading.sensor_id, place.zone, place.hold_ms${list(values)}
    FROM ${readingsSql(asked)} AND ${carried.length > 0}
      AND place.hold_ms > ${fromHoldMs} AND place.hold_ms <= ${untilHoldMs}
      AND reading.time >= make_timestamp_ms(${run.fromMs - untilHoldMs}) AND reading.time < make_timestamp_ms(${run.fromMs})
      AND epoch_ms(reading.time) > ${run.fromMs} - place.hold_ms
    GROUP BY reading.sensor_id, place.zone, place.hold_ms`
  if (maxHoldMs <= LONG_HOLD_MS) return select(0, maxHoldMs)
  return `${select(0, LONG_HOLD_MS)} UNION ALL ${select(LONG_HOLD_MS, maxHoldMs)}`
}

/** The readings in the buckets, and of each state and counter the one before. */
function rawSql(asked: SensorRows, { all, states, counters, value }: Columns): string {
  const { run } = asked
  const values = (of: (metric: string) => string): string =>
    list(all.map((metric) => `${of(metric)} AS ${value(metric)}`))
  const carried = [...states, ...counters].map(
    (name) => `
    UNION ALL SELECT sensor_id, zone, hold_ms, ${value(name)}_at${values((metric) => (metric === name ? value(name) : 'NULL'))}
    FROM before WHERE ${value(name)}_at IS NOT NULL`,
  )
  return `SELECT reading.sensor_id, place.zone, place.hold_ms, epoch_ms(reading.time) AS t${values(
    (metric) => `reading.${quoteIdentifier(metric)}`,
  )}
    FROM ${readingsSql(asked)}
      AND reading.time >= make_timestamp_ms(${run.fromMs}) AND reading.time < make_timestamp_ms(${run.toMs})
    ${carried.join('')}`
}

function readingsSql({ table, where }: SensorRows): string {
  return `${table.name} AS reading JOIN ${PLACES} AS place USING (sensor_id)
    WHERE place.kind = $kind ${where ? `AND ${where}` : ''}`
}

function list(parts: readonly string[]): string {
  return parts.map((part) => `,\n      ${part}`).join('')
}

/** The last bucket that a reading has something to say of; none (-1) when that ends before the first. */
function lastBucket(heldUntil: readonly string[], { fromMs, stepMs }: Run): string {
  if (heldUntil.length === 0) return 'own'
  const until = heldUntil.length === 1 ? heldUntil.join() : `greatest(${heldUntil.join(', ')})`
  return `greatest(own, CASE WHEN ${until} > ${fromMs} THEN (${until} - 1 - ${fromMs}) // ${stepMs} ELSE -1 END)`
}

/** Of a sensor's readings in one bucket. */
function sensorField({ part, state = '' }: RollupField, value: string): string {
  const inBucket = `CASE WHEN is_in THEN ${value} END`
  switch (part) {
    case 'count':
      return `nullif(count(${inBucket}), 0)`
    case 'sum':
    case 'min':
    case 'max':
      return `${part}(${inBucket})`
    case 'last':
      return `arg_max(${inBucket}, t)`
    case 'last_at':
      return `max(CASE WHEN is_in AND ${value} IS NOT NULL THEN t END)`
    case 'increase':
      // A counter that falls began anew at 0.
      return `sum(CASE WHEN is_in AND ${value}_before_at + greatest(hold_ms, 1) > from_ms
        THEN ${value} - CASE WHEN ${value} < ${value}_before THEN 0 ELSE ${value}_before END END)`
    case 'ms':
      return `nullif(sum(CASE WHEN ${value} = '${state.replaceAll("'", "''")}'
        THEN greatest(0, least(${value}_until, to_ms) - greatest(t, from_ms)) END), 0)`
  }
}

/**
 * Sums rows up, of sensors or of buckets.
 * @param id what decides between two that spoke last at the same time: the greatest
 */
export function mergedFieldsSql(fields: readonly RollupField[], id: string): string {
  return fields
    .map(({ name, metric, part }) => {
      const column = quoteIdentifier(name)
      const lastAt = quoteIdentifier(`${metric}_last_at`)
      return `, ${mergedField({ part, column, lastAt, id })} AS ${column}`
    })
    .join('\n')
}

function mergedField(of: { part: RollupField['part']; column: string; lastAt: string; id: string }): string {
  const { part, column, lastAt, id } = of
  switch (part) {
    case 'min':
    case 'max':
      return `${part}(${column})`
    case 'last':
      return `arg_max(${column}, {'at': ${lastAt}, 'id': ${id}})`
    case 'last_at':
      return `max(${column})`
    default:
      return `sum(${column})`
  }
}

/** Fields of one metric. */
export function fieldsOfMetric(kind: Kind, metric: string): RollupField[] {
  return rollupFields(kind).filter((field) => field.metric === metric)
}
