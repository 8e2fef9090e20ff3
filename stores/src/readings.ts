import type { MetricValue, Reading } from '@pulso/model'
import type { StoreSnapshot } from './backup/store-snapshot.ts'
import type { Rollups } from './rollups.ts'
import type { ReadingsExports } from './readings-export.ts'

/** Readings of one batch by kind; each (sensor, time) is there once, already merged. */
export interface ReadingsBatch {
  /** Readings whose (sensor, time) the store does not have. */
  inserts: ReadonlyMap<string, readonly Reading[]>
  /** Whole readings that take the place of the stored one of the same (sensor, time). */
  replacements: ReadonlyMap<string, readonly Reading[]>
  /** The journal's position that the batch ends at. */
  position: number
}

export interface ReadingKey {
  sensorId: string
  timeMs: number
}

export interface HistoryQuery {
  kind: string
  sensorId: string
  metric: string
  /** Both ends included. */
  fromMs: number
  toMs: number
  /** At most this many points, the newest of the range. */
  limit: number
}

export interface HistoryPoint {
  timeMs: number
  value: MetricValue
}

/** What the API asks. */
export interface ReadingsQueries {
  /** Points of one metric, oldest first; empty for an unknown sensor. One more than `limit` is never given. */
  history(query: HistoryQuery): Promise<{ points: HistoryPoint[]; truncated: boolean }>
  /** @throws AppError `readings-unavailable` (retryable) when the store does not answer */
  check(): Promise<void>
}

/** The series store: one table or measurement per kind, named after it, with the names of the contract. */
export interface Readings extends ReadingsQueries, ReadingsExports {
  /** `duckdb`, `influxdb`: for health and operators. */
  readonly driver: string
  /** What is made of them. */
  readonly rollups: Rollups
  /**
   * Keeps a batch: all of it or nothing with DuckDB, where the position is part of the transaction. A driver without
   * transactions must give the same result when the same batch is written again.
   * @throws AppError `readings-unavailable` (retryable) when the store is down; the caller tries again.
   * `readings-refused` when the batch itself cannot be kept, which no further try will change
   */
  write(batch: ReadingsBatch): Promise<void>
  /** The position of the last batch kept, 0 when the driver keeps none (its writes are idempotent). */
  position(): Promise<number>
  /** The stored readings of these identities; what is not there is left out. */
  find(kind: string, keys: readonly ReadingKey[]): Promise<Reading[]>
  /**
   * All readings as they are now, to be copied while further ones are written; `null` where a server keeps them, which
   * has backups of its own.
   * @throws AppError `readings-unavailable`
   */
  snapshot(): Promise<StoreSnapshot | null>
  close(): Promise<void>
}
