/** Which readings are taken out, and what of them. */
export interface ExportQuery {
  kind: string
  /** Included. */
  fromMs: number
  /** Not included, so that periods that follow each other neither double nor miss a reading. */
  toMs: number
  /**
   * Names of metrics, in the order of the columns: readings with none of them are left out. `all`: every reading, with
   * every metric that the store holds, also those that the kind no longer has.
   */
  metrics: readonly string[] | 'all'
}

export interface ExportColumn {
  metric: string
  type: 'number' | 'text'
}

/** Some readings, column by column: the cheapest form to hand from thread to thread. */
export interface ReadingsPage {
  rows: number
  timesMs: Float64Array
  receivedAtMs: Float64Array
  sensorIds: string[]
  /** A column per metric. What a reading does not have is `NaN` among numbers and `null` among texts. */
  values: (Float64Array | (string | null)[])[]
}

export interface ExportPeriod {
  firstMs: number
  lastMs: number
}

/** Readings as they were when the export was opened, in the order of time and then sensor, each once. */
export interface ReadingsExport {
  readonly columns: readonly ExportColumn[]
  /** Times of the first and the last reading in the period asked for, whatever metrics they have; `null` without any. */
  readonly period: ExportPeriod | null
  /** The next few thousand at most, `null` at the end. @throws AppError `readings-unavailable`, `export-closed` */
  next(): Promise<ReadingsPage | null>
  /**
   * Instead of `next`: all of it as one Parquet file with the columns `time`, `received_at`, `sensor_id` and the metrics.
   * A file that is not finished is the caller's to remove.
   * @returns how many readings
   */
  writeParquet(file: string): Promise<number>
  /** Frees all that it holds, and ends what is under way. May be called at any time, also again. */
  close(): Promise<void>
}

/** What can be taken out of a readings store. */
export interface ReadingsExports {
  /**
   * With DuckDB the export sees exactly what was stored at this moment. InfluxDB has no such moment: what arrives for a
   * time that the export has not reached yet is in it, and nothing is in it twice.
   * @throws AppError `unknown-kind`, `unknown-metric` (404), `readings-unavailable`
   */
  openExport(query: ExportQuery): Promise<ReadingsExport>
}

/** Readings in one page at most. */
export const EXPORT_PAGE_ROWS = 2_048
