import type { DuckDBConnection } from '@duckdb/node-api'
import { HOUR_MS, type Kind, type MetricValue, type RollupField, type Scope } from '@pulso/model'
import { requireMetric } from '../readings-checks.ts'
import type { AggregateQuery, AggregateRow } from '../rollups.ts'
import { selectMaxHold } from './places.ts'
import { fieldsOfMetric, mergedFieldsSql, sensorRowsSql, toRuns, type Run } from './rollup-sql.ts'
import { isStored, rollupTable } from './rollup-tables.ts'
import type { Table } from './schema.ts'
import { quoteIdentifier } from './sql.ts'

const MAX_RUN_BUCKETS = 288

/** What is stored of these buckets, in the order of time. */
export async function selectAggregates(
  connection: DuckDBConnection,
  kind: Kind,
  query: AggregateQuery,
): Promise<AggregateRow[]> {
  const { scope, id, metric, resolution, buckets } = query
  requireMetric(kind, metric)
  const [first, last] = [buckets[0], buckets.at(-1)]
  if (!first || !last || !isStored(resolution, scope)) return []
  const fields = fieldsOfMetric(kind, metric)
  const result = await connection.runAndReadAll(
    `SELECT epoch_ms(time), elapsed_ms, ${fields.map(({ name }) => quoteIdentifier(name)).join(', ')}
     FROM ${rollupTable(kind, resolution, scope)}
     WHERE scope = $scope AND id = $id AND time >= make_timestamp_ms(${first.fromMs}) AND time < make_timestamp_ms(${last.toMs})
     ORDER BY time`,
    { scope, id },
  )
  const wanted = new Set(buckets.map(({ fromMs }) => fromMs))
  return toRows(result.getRows(), fields).filter(({ fromMs }) => wanted.has(fromMs))
}

/** The same from the readings. A day's hours are worked out for themselves, as they are for a stored one. */
export async function measure(
  connection: DuckDBConnection,
  table: Table,
  { query, nowMs }: { query: AggregateQuery; nowMs: number },
): Promise<AggregateRow[]> {
  const { scope, id, metric, resolution, buckets } = query
  requireMetric(table.kind, metric)
  const fields = fieldsOfMetric(table.kind, metric)
  const where = WHERE[scope]
  const parameters = { kind: table.kind.id, ...(where && { id }) }
  const maxHoldMs = await selectMaxHold(connection, { ...parameters, ...(where && { where }) })
  const isDay = resolution === '1d'
  const runs: Run[] = isDay
    ? buckets.map((day) => ({ ...day, stepMs: HOUR_MS }))
    : toRuns(buckets, MAX_RUN_BUCKETS)
  const rows: AggregateRow[] = []
  for (const run of runs) {
    const result = await connection.runAndReadAll(
      `SELECT ${isDay ? run.fromMs : 'from_ms'} AS bucket, sum(elapsed_ms) ${mergedFieldsSql(fields, 'sensor_id')}
       FROM (${sensorRowsSql({ table, run, nowMs, maxHoldMs, where, fields })}) GROUP BY bucket ORDER BY bucket`,
      parameters,
    )
    rows.push(...toRows(result.getRows(), fields))
  }
  return rows
}

const WHERE: Readonly<Record<Scope, string | undefined>> = {
  sensor: 'place.sensor_id = $id',
  zone: 'place.zone = $id',
  city: undefined,
}

/** Without those that say nothing of the metric. */
function toRows(rows: readonly (readonly unknown[])[], fields: readonly RollupField[]): AggregateRow[] {
  return rows.flatMap(([fromMs, elapsedMs, ...cells]) => {
    const parts: Record<string, MetricValue> = {}
    for (const [index, { name }] of fields.entries()) {
      const cell = cells[index]
      if (typeof cell === 'string') parts[name] = cell
      else if (cell !== null && cell !== undefined) parts[name] = Number(cell)
    }
    if (Object.keys(parts).length === 0) return []
    return [{ fromMs: Number(fromMs), parts, elapsedMs: Number(elapsedMs) }]
  })
}
