import { AppError, type Kind, type MetricValue, type Reading } from '@pulso/model'
import { walkWindows, type Window } from '../export/windows.ts'
import { requireMetric } from '../readings-checks.ts'
import {
  EXPORT_PAGE_ROWS,
  type ExportColumn,
  type ExportPeriod,
  type ExportQuery,
  type ReadingsExport,
  type ReadingsPage,
} from '../readings-export.ts'
import { toInfluxError } from './errors.ts'
import { quoteIdentifier, toTime, type Cell, type ResultTable } from './influxql.ts'

/** Asked for at once: an answer of a few MB, which the client reads as a whole. */
const WINDOW_ROWS = 10_000

type Query = (q: string) => Promise<ResultTable[]>

/**
 * An export in windows of time that follow each other, so that whatever is written meanwhile comes at most once, and
 * what was there before comes in any case.
 */
export async function openInfluxExport(
  query: Query,
  { kind, request }: { kind: Kind; request: ExportQuery },
): Promise<ReadingsExport> {
  const columns = await selectColumns(query, kind, request)
  const period = await selectPeriod(query, kind, request)
  const pages = readPages(query, { kind, request, columns, period })
  let working: Promise<unknown> = Promise.resolve()
  let isClosed = false
  const nextPage = async (): Promise<ReadingsPage | null> => {
    if (isClosed) throw new AppError('export-closed', 'The export was closed', { status: 503 })
    const step = await pages.next()
    return step.done ? null : step.value
  }
  const work = <T>(doing: () => Promise<T>): Promise<T> => {
    const result = working.then(doing)
    working = result.catch(() => undefined)
    return result.catch((error: unknown) => {
      throw toInfluxError('Cannot take readings out', error)
    })
  }
  return {
    columns,
    period,
    next: () => work(nextPage),
    writeParquet: (file) =>
      work(async () => {
        // A whole database engine, which a box with InfluxDB needs for nothing else.
        const { writePagesToParquet } = await import('../export/pages-to-parquet.ts')
        return writePagesToParquet({ columns, next: nextPage, file })
      }),
    async close() {
      isClosed = true
      await working
    },
  }
}

async function selectColumns(query: Query, kind: Kind, { metrics }: ExportQuery): Promise<ExportColumn[]> {
  if (metrics !== 'all') {
    return metrics.map((metric) => ({
      metric,
      type: requireMetric(kind, metric).type === 'number' ? 'number' : 'text',
    }))
  }
  const known = Object.entries(kind.metrics).map(([metric, { type }]): ExportColumn => ({
    metric,
    type: type === 'number' ? 'number' : 'text',
  }))
  const tables = await query(`SHOW FIELD KEYS FROM ${quoteIdentifier(kind.id)}`)
  const further = tables
    .flatMap(({ rows }) => rows)
    .map(([name, type]): ExportColumn => ({
      metric: String(name),
      type: type === 'string' ? 'text' : 'number',
    }))
    .filter(({ metric }) => metric !== 'received_at' && !Object.hasOwn(kind.metrics, metric))
  return [...known, ...further]
}

/** Where there are readings: where nothing is, nothing needs to be looked through. */
async function selectPeriod(query: Query, kind: Kind, request: ExportQuery): Promise<ExportPeriod | null> {
  const [firstMs, lastMs] = await Promise.all(
    ['first', 'last'].map(async (end) =>
      firstTime(
        await query(`SELECT ${end}("received_at") FROM ${quoteIdentifier(kind.id)} WHERE ${within(request)}`),
      ),
    ),
  )
  return firstMs === undefined || lastMs === undefined ? null : { firstMs, lastMs }
}

interface Source {
  kind: Kind
  request: ExportQuery
  columns: readonly ExportColumn[]
  period: ExportPeriod | null
}

async function* readPages(
  query: Query,
  { kind, request, columns, period }: Source,
): AsyncGenerator<ReadingsPage, void> {
  const measurement = quoteIdentifier(kind.id)
  const count = async (window: Window): Promise<number> =>
    firstNumber(await query(`SELECT count("received_at") FROM ${measurement} WHERE ${within(window)}`)) ?? 0
  if (!period) return
  const range = { fromMs: period.firstMs, toMs: period.lastMs + 1 }
  for await (const window of walkWindows({ ...range, maxRows: WINDOW_ROWS, count })) {
    const tables = await query(`SELECT * FROM ${measurement} WHERE ${within(window)}`)
    const readings = tables
      .flatMap((table) => toReadings(table, columns))
      .filter(({ values }) => request.metrics === 'all' || Object.keys(values).length > 0)
      .sort(byTimeAndSensor)
    for (let start = 0; start < readings.length; start += EXPORT_PAGE_ROWS) {
      yield toPage(readings.slice(start, start + EXPORT_PAGE_ROWS), columns)
    }
  }
}

function within({ fromMs, toMs }: Window): string {
  return `time >= ${toTime(Math.ceil(fromMs))} AND time < ${toTime(Math.ceil(toMs))}`
}

function firstNumber(tables: readonly ResultTable[]): number | undefined {
  const cell = tables[0]?.rows[0]?.[1]
  return typeof cell === 'number' ? cell : undefined
}

function firstTime(tables: readonly ResultTable[]): number | undefined {
  const cell: Cell | undefined = tables[0]?.rows[0]?.[0]
  return typeof cell === 'number' ? cell : undefined
}

/** Rows of `SELECT *` with the metrics of the export alone. */
function toReadings({ columns: names, rows }: ResultTable, columns: readonly ExportColumn[]): Reading[] {
  const [time, receivedAt, sensor] = ['time', 'received_at', 'sensor_id'].map((name) => names.indexOf(name))
  const places = columns.map(({ metric }) => [metric, names.indexOf(metric)] as const)
  return rows.map((row) => {
    const values: Record<string, MetricValue> = {}
    for (const [metric, index] of places) {
      const cell = row[index]
      if (typeof cell === 'number' || typeof cell === 'string') values[metric] = cell
    }
    return {
      sensorId: String(row[sensor ?? -1]),
      timeMs: Number(row[time ?? -1]),
      receivedAtMs: Number(row[receivedAt ?? -1]),
      values,
    }
  })
}

function byTimeAndSensor(a: Reading, b: Reading): number {
  if (a.timeMs !== b.timeMs) return a.timeMs - b.timeMs
  return a.sensorId < b.sensorId ? -1 : a.sensorId > b.sensorId ? 1 : 0
}

function toPage(readings: readonly Reading[], columns: readonly ExportColumn[]): ReadingsPage {
  return {
    rows: readings.length,
    timesMs: Float64Array.from(readings, ({ timeMs }) => timeMs),
    receivedAtMs: Float64Array.from(readings, ({ receivedAtMs }) => receivedAtMs),
    sensorIds: readings.map(({ sensorId }) => sensorId),
    values: columns.map(({ metric, type }) =>
      type === 'number'
        ? Float64Array.from(readings, ({ values }) => toNumber(values[metric]))
        : readings.map(({ values }) => toText(values[metric])),
    ),
  }
}

function toNumber(value: MetricValue | undefined): number {
  return typeof value === 'number' ? value : NaN
}

function toText(value: MetricValue | undefined): string | null {
  return value === undefined ? null : String(value)
}
