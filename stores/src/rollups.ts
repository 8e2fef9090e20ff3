import type { Bucket, MetricValue, Resolution, Scope } from '@pulso/model'

/** What of a sensor its aggregates depend on, beside its readings. */
export interface SensorPlace {
  sensorId: string
  kind: string
  /** `null`: in no zone; it counts for the city all the same. */
  zone: string | null
  /** How long a value holds when nothing follows: until the sensor would be offline. */
  holdMs: number
}

export interface RollupPlan {
  kind: string
  resolution: Resolution
  /** In order, without gaps of more than a few; at most a few hundred. */
  buckets: readonly Bucket[]
  /** A bucket that still runs is worked out up to here. */
  nowMs: number
}

export interface AggregateQuery {
  kind: string
  scope: Scope
  /** A sensor's or a zone's id; `''` for the city. */
  id: string
  metric: string
  resolution: Resolution
  buckets: readonly Bucket[]
}

/** One bucket of one scope: the stored parts of the metric by field name (`rollupFields`). Without data there is none. */
export interface AggregateRow {
  fromMs: number
  parts: Readonly<Record<string, MetricValue>>
  /** Of state metrics: the time that its sensors were there to be known in, sensors × elapsed, in ms. */
  elapsedMs: number
}

/**
 * Aggregates beside the readings, always worked out from the readings and never counted up: `5m` of zones and the city,
 * `1h` and `1d` of sensors, zones and the city (`1d` from `1h`). A sensor's `5m` is worked out when asked for.
 */
export interface Rollups {
  /** New and changed ones; what is rolled up next goes by them. Kept in memory, so all are told once after opening. */
  putPlaces(places: readonly SensorPlace[]): Promise<void>
  /**
   * Works the buckets out and puts them in the place of what was there, in one transaction where there are any.
   * @throws AppError `readings-unavailable` (retryable)
   */
  rollUp(plan: RollupPlan): Promise<void>
  /** Stored rows in the order of time; those of buckets that were never rolled up are missing. */
  aggregates(query: AggregateQuery): Promise<AggregateRow[]>
  /** The same worked out from the readings without storing: for buckets that still run, or whose readings changed. */
  measure(query: AggregateQuery, nowMs: number): Promise<AggregateRow[]>
  /** Deletes what ended before this: readings (`raw`) or aggregates. @returns how many rows, `null` where unknown */
  forget(what: 'raw' | Resolution, beforeMs: number): Promise<number | null>
  /** Time of a kind's oldest reading, `null` without any: its aggregates begin there. */
  oldestReadingMs(kind: string): Promise<number | null>
  /** Disk use in bytes as far as the store can tell; `null` where it cannot. */
  sizes(): Promise<{ totalBytes: number | null; rows: Readonly<Record<'raw' | Resolution, number>> | null }>
}

export interface AggregatesQuestion {
  kind: string
  scope: Scope
  /** A sensor's or a zone's id; `''` for the city. */
  id: string
  metric: string
  resolution: Resolution
  /** The buckets that overlap this time, its end excluded, and have begun. */
  fromMs: number
  toMs: number
}

/** A bucket with what is known of it; without a row where nothing is. */
export type AggregatedBucket = Bucket & { row: Omit<AggregateRow, 'fromMs'> | null }

/** What the API asks. */
export interface AggregatesQueries {
  /**
   * All buckets of the time, oldest first: stored ones where they hold, and worked out from the readings where they are
   * not stored yet or late readings have come.
   * @throws AppError `unknown-kind`, `unknown-metric` (404), `aggregates-being-built` (503) when too much would have to be
   * worked out, `too-many-buckets` (400)
   */
  aggregates(question: AggregatesQuestion): Promise<AggregatedBucket[]>
}
