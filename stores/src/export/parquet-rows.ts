import {
  DOUBLE,
  DuckDBDataChunk,
  DuckDBTimestampValue,
  TIMESTAMP,
  VARCHAR,
  type DuckDBAppender,
  type DuckDBValue,
} from '@duckdb/node-api'
import type { ExportColumn, ReadingsPage } from '../readings-export.ts'

/** The columns of an export's table, in the order in which `appendPage` fills them. */
export function toDefinitions(columns: readonly ExportColumn[]): string {
  const metrics = columns.map(
    ({ metric, type }) => `"${metric.replaceAll('"', '""')}" ${type === 'number' ? 'DOUBLE' : 'VARCHAR'}`,
  )
  return ['time TIMESTAMP', 'received_at TIMESTAMP', 'sensor_id VARCHAR', ...metrics].join(', ')
}

/** Adds a page, which is no larger than one of DuckDB's own chunks. */
export function appendPage(
  appender: DuckDBAppender,
  columns: readonly ExportColumn[],
  { rows, timesMs, receivedAtMs, sensorIds, values }: ReadingsPage,
): void {
  const types = [
    TIMESTAMP,
    TIMESTAMP,
    VARCHAR,
    ...columns.map(({ type }) => (type === 'number' ? DOUBLE : VARCHAR)),
  ]
  const chunk = DuckDBDataChunk.create(types, rows)
  const lists: ((row: number) => DuckDBValue)[] = [
    (row) => toTimestamp(timesMs[row]),
    (row) => toTimestamp(receivedAtMs[row]),
    (row) => sensorIds[row] ?? null,
    ...values.map((list) => (row: number) => toCell(list[row])),
  ]
  for (const [index, cell] of lists.entries()) {
    const vector = chunk.getColumnVector(index)
    for (let row = 0; row < rows; row++) vector.setItem(row, cell(row))
    vector.flush()
  }
  appender.appendDataChunk(chunk)
}

function toTimestamp(timeMs: number | undefined): DuckDBTimestampValue | null {
  return timeMs === undefined || Number.isNaN(timeMs)
    ? null
    : new DuckDBTimestampValue(BigInt(timeMs) * 1_000n)
}

function toCell(value: string | number | null | undefined): DuckDBValue {
  return value === undefined || Number.isNaN(value) ? null : value
}
