import {
  DOUBLE,
  DuckDBDataChunk,
  DuckDBTimestampValue,
  TIMESTAMP,
  VARCHAR,
  type DuckDBAppender,
  type DuckDBValue,
} from '@duckdb/node-api'
import type { MetricValue, Reading } from '@pulso/model'
import type { Column, ColumnType } from './column.ts'
import type { Table } from './schema.ts'

/** DuckDB's own vector size: a data chunk holds no more. */
const CHUNK_ROWS = 2_048
const TYPES = { TIMESTAMP, VARCHAR, DOUBLE } as const

/** Adds readings column by column, the fast way into DuckDB. */
export function appendReadings(
  appender: DuckDBAppender,
  { columns }: Table,
  readings: readonly Reading[],
): void {
  const types = columns.map(({ type }) => TYPES[type])
  const cells = columns.map(createCell)
  for (let start = 0; start < readings.length; start += CHUNK_ROWS) {
    const rows = Math.min(CHUNK_ROWS, readings.length - start)
    const chunk = DuckDBDataChunk.create(types, rows)
    for (const [index, cell] of cells.entries()) {
      const vector = chunk.getColumnVector(index)
      for (let row = 0; row < rows; row++) {
        const reading = readings[start + row]
        if (reading) vector.setItem(row, cell(reading))
      }
      vector.flush()
    }
    appender.appendDataChunk(chunk)
  }
  appender.flushSync()
}

type Cell = (reading: Reading) => DuckDBValue

function createCell({ name, type }: Column): Cell {
  switch (name) {
    case 'time':
      return createTimeCell(({ timeMs }) => timeMs)
    case 'received_at':
      return createTimeCell(({ receivedAtMs }) => receivedAtMs)
    case 'sensor_id':
      return ({ sensorId }) => sensorId
    default:
      return ({ values }) => checkType(values[name], type)
  }
}

/** What comes together has much the same times, and a timestamp costs more to make than to look at again. */
function createTimeCell(timeOf: (reading: Reading) => number): Cell {
  let lastMs = Number.NaN
  let last: DuckDBTimestampValue | undefined
  return (reading) => {
    const timeMs = timeOf(reading)
    if (last === undefined || timeMs !== lastMs) {
      last = toTimestamp(timeMs)
      lastMs = timeMs
    }
    return last
  }
}

/** A text would silently become NaN in a column of numbers. */
function checkType(value: MetricValue | undefined, type: ColumnType): MetricValue | null {
  if (value === undefined) return null
  if ((typeof value === 'number') === (type === 'DOUBLE')) return value
  throw new TypeError(`${typeof value} ${value} does not fit a ${type}`)
}

export function toTimestamp(timeMs: number): DuckDBTimestampValue {
  return new DuckDBTimestampValue(BigInt(Math.trunc(timeMs)) * 1_000n)
}

export function toMs(value: DuckDBValue | undefined): number {
  return value instanceof DuckDBTimestampValue ? Number(value.micros / 1_000n) : NaN
}

/** A row with the table's columns in their order, as a reading. */
export function toReading({ columns }: Table, row: readonly DuckDBValue[]): Reading {
  const values: Record<string, MetricValue> = {}
  let [sensorId, timeMs, receivedAtMs] = ['', 0, 0]
  for (const [index, { name }] of columns.entries()) {
    const cell = row[index]
    if (name === 'time') timeMs = toMs(cell)
    else if (name === 'received_at') receivedAtMs = toMs(cell)
    else if (name === 'sensor_id') sensorId = String(cell)
    else if (typeof cell === 'number' || typeof cell === 'string') values[name] = cell
  }
  return { sensorId, timeMs, receivedAtMs, values }
}
