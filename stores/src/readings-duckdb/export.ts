import type { DuckDBConnection, DuckDBDataChunk, DuckDBVector } from '@duckdb/node-api'
import { AppError } from '@pulso/model'
import { walkWindows, type Window } from '../export/windows.ts'
import { requireMetric } from '../readings-checks.ts'
import type {
  ExportColumn,
  ExportPeriod,
  ExportQuery,
  ReadingsExport,
  ReadingsPage,
} from '../readings-export.ts'
import type { Table } from './schema.ts'
import { toReadingsError } from './session.ts'
import { quoteIdentifier, quoteText } from './sql.ts'

/** Sorted at once: a few MB. */
const WINDOW_ROWS = 100_000
const FIXED_COLUMNS = 3
const FIXED_NAMES: ReadonlySet<string> = new Set(['time', 'received_at', 'sensor_id'])

/**
 * An export on a connection of its own, in one transaction: it neither waits for batches nor keeps them waiting, and
 * sees none of those that come later.
 * @param connection is closed with the export
 */
export async function openDuckdbExport(
  connection: DuckDBConnection,
  { table, query }: { table: Table; query: ExportQuery },
): Promise<ReadingsExport> {
  let columns: ExportColumn[]
  let period: ExportPeriod | null
  let pages: AsyncGenerator<ReadingsPage, void>
  try {
    columns = selectColumns(table, query)
    // Times of day become instants by the session's zone.
    await connection.run("SET TimeZone = 'UTC'")
    await connection.run('BEGIN TRANSACTION READ ONLY')
    period = await selectPeriod(connection, table, query)
    pages = readPages(connection, { table, query, columns, period })
  } catch (error) {
    connection.closeSync()
    throw toReadingsError('Cannot take readings out', error)
  }
  let working: Promise<unknown> = Promise.resolve()
  let isClosed = false

  /** One after the other, and none when closed: the connection is gone then. */
  const work = <T>(doing: () => Promise<T>): Promise<T> => {
    const result = working.then(() => {
      if (isClosed) throw new AppError('export-closed', 'The export was closed', { status: 503 })
      return doing()
    })
    working = result.catch(() => undefined)
    return result.catch((error: unknown) => {
      throw toReadingsError('Cannot take readings out', error)
    })
  }

  return {
    columns,
    period,
    next: () =>
      work(async () => {
        const step = await pages.next()
        return step.done ? null : step.value
      }),
    writeParquet: (file) => work(() => copyToParquet(connection, { table, query, columns, file })),
    async close() {
      if (isClosed) return
      isClosed = true
      connection.interrupt()
      await working
      connection.closeSync()
    },
  }
}

function selectColumns({ kind, columns }: Table, { metrics }: ExportQuery): ExportColumn[] {
  const held = columns
    .filter(({ name }) => !FIXED_NAMES.has(name))
    .map(({ name, type }): ExportColumn => ({ metric: name, type: type === 'DOUBLE' ? 'number' : 'text' }))
  if (metrics === 'all') return held
  return metrics.map((metric) => {
    requireMetric(kind, metric)
    const column = held.find((candidate) => candidate.metric === metric)
    if (!column) throw new Error(`no column for ${metric}`)
    return column
  })
}

/** Where there are readings. */
async function selectPeriod(
  connection: DuckDBConnection,
  table: Table,
  query: ExportQuery,
): Promise<ExportPeriod | null> {
  const [row] = (
    await connection.runAndReadAll(
      `SELECT epoch_ms(min(time))::DOUBLE, epoch_ms(max(time))::DOUBLE FROM ${table.name} WHERE ${within(query)}`,
    )
  ).getRows()
  const [firstMs, lastMs] = row ?? []
  return typeof firstMs === 'number' && typeof lastMs === 'number' ? { firstMs, lastMs } : null
}

interface Source {
  table: Table
  query: ExportQuery
  columns: readonly ExportColumn[]
  period: ExportPeriod | null
}

async function* readPages(
  connection: DuckDBConnection,
  { table, query, columns, period }: Source,
): AsyncGenerator<ReadingsPage, void> {
  if (!period) return
  const range = { fromMs: period.firstMs, toMs: period.lastMs + 1 }
  const count = async (window: Window): Promise<number> => {
    const sql = `SELECT count(*)::DOUBLE FROM ${table.name} WHERE ${within(window)}`
    return Number((await connection.runAndReadAll(sql)).getRows()[0]?.[0])
  }
  const metrics = columns.map(({ metric }) => `, ${quoteIdentifier(metric)}`).join('')
  for await (const window of walkWindows({ ...range, maxRows: WINDOW_ROWS, count })) {
    const result = await connection.stream(
      `SELECT epoch_ms(time)::DOUBLE, epoch_ms(received_at)::DOUBLE, sensor_id${metrics} FROM ${table.name}
       WHERE ${within(window)}${havingAny(query)} ORDER BY time, sensor_id`,
    )
    for (;;) {
      const chunk = await result.fetchChunk()
      if (!chunk || chunk.rowCount === 0) break
      yield toPage(chunk, columns)
    }
  }
}

/** Numbers of our own make a text of SQL here, and nothing that came from outside. */
function within({ fromMs, toMs }: Window): string {
  return `time >= make_timestamp_ms(${toInteger(fromMs)}) AND time < make_timestamp_ms(${toInteger(toMs)})`
}

function toInteger(timeMs: number): string {
  return BigInt(Math.ceil(timeMs)).toString()
}

function havingAny({ metrics }: ExportQuery): string {
  if (metrics === 'all') return ''
  const conditions = metrics.map((metric) => `${quoteIdentifier(metric)} IS NOT NULL`)
  return ` AND (${['FALSE', ...conditions].join(' OR ')})`
}

function toPage(chunk: DuckDBDataChunk, columns: readonly ExportColumn[]): ReadingsPage {
  const rows = chunk.rowCount
  const numbers = (index: number): Float64Array => {
    const vector = chunk.getColumnVector(index)
    return Float64Array.from({ length: rows }, (_, row) => toNumber(vector, row))
  }
  const texts = (index: number): (string | null)[] => {
    const vector = chunk.getColumnVector(index)
    return Array.from({ length: rows }, (_, row) => vector.getItem(row) as string | null)
  }
  return {
    rows,
    timesMs: numbers(0),
    receivedAtMs: numbers(1),
    sensorIds: texts(2) as string[],
    values: columns.map(({ type }, index) =>
      type === 'number' ? numbers(index + FIXED_COLUMNS) : texts(index + FIXED_COLUMNS),
    ),
  }
}

function toNumber(vector: DuckDBVector, row: number): number {
  const item = vector.getItem(row)
  return typeof item === 'number' ? item : NaN
}

async function copyToParquet(
  connection: DuckDBConnection,
  { table, query, columns, file }: Omit<Source, 'period'> & { file: string },
): Promise<number> {
  const metrics = columns.map(({ metric }) => `, ${quoteIdentifier(metric)}`).join('')
  const result = await connection.runAndReadAll(
    `COPY (SELECT time::TIMESTAMPTZ AS time, received_at::TIMESTAMPTZ AS received_at, sensor_id${metrics}
       FROM ${table.name} WHERE ${within(query)}${havingAny(query)} ORDER BY time, sensor_id)
     TO ${quoteText(file)} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)`,
  )
  return Number(result.getRows()[0]?.[0])
}
