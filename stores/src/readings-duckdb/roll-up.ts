import type { DuckDBConnection } from '@duckdb/node-api'
import { rollupFields, type Bucket, type Kind, type Resolution } from '@pulso/model'
import type { RollupPlan } from '../rollups.ts'
import { PLACES, selectMaxHold } from './places.ts'
import { mergedFieldsSql, sensorRowsSql, toRuns } from './rollup-sql.ts'
import { rollupTable } from './rollup-tables.ts'
import type { Table } from './schema.ts'
import { quoteIdentifier } from './sql.ts'

/** What is worked out by one statement; more would only be kept in memory together, fewer look back more often. */
const MAX_RUN_BUCKETS = 12

export interface RollUpOptions {
  connection: DuckDBConnection
  table: Table
  plan: RollupPlan
  /** Throws when the work should end early. */
  goOn: () => void
}

/** Puts the plan's buckets in the place of what was there, in one transaction. */
export async function rollUp({ connection, table, plan, goOn }: RollUpOptions): Promise<void> {
  const { kind } = table
  await connection.run('BEGIN TRANSACTION')
  try {
    if (plan.resolution === '1d') {
      for (const bucket of plan.buckets) {
        goOn()
        await sumUpDay(connection, kind, bucket)
      }
    } else {
      const maxHoldMs = await selectMaxHold(connection, { kind: kind.id })
      for (const run of toRuns(plan.buckets, MAX_RUN_BUCKETS)) {
        goOn()
        const rows = sensorRowsSql({ table, run, nowMs: plan.nowMs, maxHoldMs })
        if (plan.resolution === '5m') await storeSums(connection, { kind, resolution: '5m', run, rows })
        else await storeHours(connection, { kind, resolution: '1h', run, rows })
      }
    }
    await connection.run('COMMIT')
  } catch (error) {
    // A failed COMMIT has rolled back by itself.
    await connection.run('ROLLBACK').catch(() => undefined)
    throw error
  }
}

interface Storing {
  kind: Kind
  resolution: Resolution
  run: Bucket
  /** Of sensors. */
  rows: string
}

async function storeHours(connection: DuckDBConnection, storing: Storing): Promise<void> {
  const { kind, resolution, run, rows } = storing
  const table = rollupTable(kind, resolution, 'sensor')
  const names = fieldNames(kind)
  await deleteRows(connection, table, run)
  await connection.run(
    `INSERT INTO ${table} (time, scope, id, elapsed_ms${names})
     SELECT make_timestamp_ms(from_ms), 'sensor', sensor_id, elapsed_ms${names} FROM (${rows})`,
    { kind: kind.id },
  )
  const stored = `SELECT epoch_ms(time) AS from_ms, id AS sensor_id, zone, elapsed_ms${names}
    FROM ${table} JOIN ${PLACES} AS place ON id = sensor_id AND place.kind = $kind WHERE ${within(run)}`
  await storeSums(connection, { ...storing, rows: stored })
}

/** Of zones and the city. */
async function storeSums(connection: DuckDBConnection, storing: Storing): Promise<void> {
  const { kind, resolution, run, rows } = storing
  const table = rollupTable(kind, resolution, 'zone')
  const fields = rollupFields(kind)
  await deleteRows(connection, table, run)
  await connection.run(
    `INSERT INTO ${table} (time, scope, id, elapsed_ms${fieldNames(kind)})
     SELECT make_timestamp_ms(from_ms), if(grouping(zone) = 1, 'city', 'zone'), if(grouping(zone) = 1, '', zone),
       sum(elapsed_ms) ${mergedFieldsSql(fields, 'sensor_id')}
     FROM (${rows})
     GROUP BY GROUPING SETS ((from_ms), (from_ms, zone)) HAVING grouping(zone) = 1 OR zone IS NOT NULL`,
    { kind: kind.id },
  )
}

/** From the hours as they are stored. */
async function sumUpDay(connection: DuckDBConnection, kind: Kind, day: Bucket): Promise<void> {
  for (const scope of ['sensor', 'zone'] as const) {
    const table = rollupTable(kind, '1d', scope)
    await deleteRows(connection, table, day)
    await connection.run(
      `INSERT INTO ${table} (time, scope, id, elapsed_ms${fieldNames(kind)})
       SELECT make_timestamp_ms(${day.fromMs}), scope, id,
         sum(elapsed_ms) ${mergedFieldsSql(rollupFields(kind), 'id')}
       FROM ${rollupTable(kind, '1h', scope)} WHERE ${within(day)} GROUP BY scope, id`,
    )
  }
}

/** Also what began within it, should the city's time zone have been another one. */
async function deleteRows(connection: DuckDBConnection, table: string, bucket: Bucket): Promise<void> {
  await connection.run(`DELETE FROM ${table} WHERE ${within(bucket)}`)
}

function within({ fromMs, toMs }: Bucket): string {
  return `time >= make_timestamp_ms(${fromMs}) AND time < make_timestamp_ms(${toMs})`
}

function fieldNames(kind: Kind): string {
  return rollupFields(kind)
    .map(({ name }) => `, ${quoteIdentifier(name)}`)
    .join('')
}
