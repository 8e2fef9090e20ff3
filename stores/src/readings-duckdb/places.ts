import { BIGINT, DuckDBDataChunk, LIST, listValue, VARCHAR, type DuckDBConnection } from '@duckdb/node-api'
import type { SensorPlace } from '../rollups.ts'

/** A database in memory beside the file: all connections see it, and it costs no transaction of the file. */
const DATABASE = 'pulso_memory'
export const PLACES = `${DATABASE}.places`

/** DuckDB's own vector size. */
const CHUNK_ROWS = 2_048
const TYPES = [VARCHAR, VARCHAR, VARCHAR, BIGINT] as const

/** Where the sensors stand, for queries to join. */
export async function createPlacesTable(connection: DuckDBConnection): Promise<void> {
  await connection.run(`ATTACH ':memory:' AS ${DATABASE}`)
  await connection.run(
    `CREATE TABLE ${PLACES} (sensor_id VARCHAR, kind VARCHAR, zone VARCHAR, hold_ms BIGINT)`,
  )
}

/** Puts these in the place of what was known of the same sensors. */
export async function putPlaces(connection: DuckDBConnection, places: readonly SensorPlace[]): Promise<void> {
  const newest = [...new Map(places.map((place) => [place.sensorId, place])).values()]
  await connection.run('BEGIN TRANSACTION')
  try {
    await connection.run(
      `DELETE FROM ${PLACES} WHERE sensor_id IN (SELECT unnest($ids))`,
      { ids: listValue(newest.map(({ sensorId }) => sensorId)) },
      { ids: LIST(VARCHAR) },
    )
    const appender = await connection.createAppender('places', 'main', DATABASE)
    try {
      for (let start = 0; start < newest.length; start += CHUNK_ROWS) {
        const rows = newest.slice(start, start + CHUNK_ROWS)
        const chunk = DuckDBDataChunk.create(TYPES, rows.length)
        chunk.setColumns([
          rows.map(({ sensorId }) => sensorId),
          rows.map(({ kind }) => kind),
          rows.map(({ zone }) => zone),
          rows.map(({ holdMs }) => BigInt(Math.max(0, Math.round(holdMs)))),
        ])
        appender.appendDataChunk(chunk)
      }
      appender.flushSync()
    } finally {
      appender.closeSync()
    }
    await connection.run('COMMIT')
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => undefined)
    throw error
  }
}

/** The longest that a value of these sensors holds; 0 when there are none. */
export async function selectMaxHold(
  connection: DuckDBConnection,
  { where, ...parameters }: { kind: string; where?: string; id?: string },
): Promise<number> {
  const result = await connection.runAndReadAll(
    `SELECT max(hold_ms) FROM ${PLACES} AS place WHERE place.kind = $kind ${where ? `AND ${where}` : ''}`,
    parameters,
  )
  return Number(result.getRows()[0]?.[0] ?? 0)
}
