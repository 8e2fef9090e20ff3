import type { InfluxDB } from '@influxdata/influxdb-client'
import { AppError } from '@pulso/model'

export type Cell = string | number | boolean | null

/** The rows of one statement; its columns are named once. */
export interface ResultTable {
  /** With `GROUP BY`: the tags that the rows share. */
  tags?: Readonly<Record<string, string>>
  columns: readonly string[]
  rows: readonly (readonly Cell[])[]
}

export interface QueryAnswer {
  error?: string
  results?: {
    error?: string
    series?: { tags?: Record<string, string>; columns: string[]; values?: Cell[][]; partial?: boolean }[]
    /** Of an answer in pieces: there is more to come. */
    partial?: boolean
  }[]
}

/** A name in InfluxQL. */
export function quoteIdentifier(name: string): string {
  return `"${escape(name).replaceAll('"', '\\"')}"`
}

/** A text in InfluxQL. */
export function quoteText(text: string): string {
  return `'${escape(text).replaceAll("'", "\\'")}'`
}

/** A condition that a tag has one of these values: much faster in InfluxDB than as many comparisons. */
export function tagIsOneOf(tag: string, values: readonly string[]): string {
  return `${quoteIdentifier(tag)} =~ /^(${values.map(escapePattern).join('|')})$/`
}

/** InfluxDB counts nanoseconds in 64 bits: 1677 to 2262. */
const MOST_MS = 9_223_372_036_854

/** A time in InfluxQL; one that InfluxDB cannot say becomes the nearest that it can. */
export function toTime(timeMs: number): string {
  return `${Math.trunc(Math.min(MOST_MS, Math.max(-MOST_MS, timeMs)))}ms`
}

/**
 * Runs InfluxQL statements, separated by `;`, in one request.
 * @returns the tables of all statements, those without rows left out
 */
export async function queryInflux(
  influx: InfluxDB,
  { path, q }: { path: string; q: string },
): Promise<ResultTable[]> {
  // In the body, because an address has a limited length.
  const answer = (await influx.transport.request(path, new URLSearchParams({ q }).toString(), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
  })) as QueryAnswer
  if (answer.results?.some(({ series }) => series?.some(({ partial }) => partial))) {
    throw new AppError('readings-refused', 'InfluxDB cut an answer short: raise its max-row-limit')
  }
  return toTables(answer)
}

/** @throws AppError where the server says that a statement failed */
export function toTables({ error, results = [] }: QueryAnswer): ResultTable[] {
  const said = error ?? results.find((result) => result.error !== undefined)?.error
  if (said !== undefined) throw toQueryError(said)
  return results.flatMap(({ series = [] }) =>
    series.map(({ tags, columns, values = [] }) => ({ ...(tags && { tags }), columns, rows: values })),
  )
}

/** A statement fails with status 200 and a sentence. A missing database may be back at the next try. */
function toQueryError(message: string): AppError {
  const retryable = /database not found|timeout|not found/i.test(message)
  return new AppError(
    retryable ? 'readings-unavailable' : 'readings-refused',
    `InfluxDB refused a query: ${message}`,
    { retryable, status: retryable ? 503 : 500 },
  )
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replaceAll('\n', '\\n')
}
