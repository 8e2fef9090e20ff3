import {
  LIST,
  listValue,
  TIMESTAMP,
  VARCHAR,
  type DuckDBConnection,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api'
import type { Reading } from '@pulso/model'
import type { ReadingKey } from '../readings.ts'
import { toReading, toTimestamp } from './rows.ts'
import type { Table } from './schema.ts'
import { quoteIdentifier } from './sql.ts'

/** Keys of one statement: they travel as parameters. */
const KEYS_PER_STATEMENT = 10_000

const KEYS = '(SELECT unnest($ids) AS sensor_id, unnest($times) AS time) AS k'
/** The bare range lets DuckDB skip the row groups that cannot hold any of the keys. */
const MATCH = 't.time BETWEEN $earliest AND $latest AND t.sensor_id = k.sensor_id AND t.time = k.time'

/** The stored readings with these keys. */
export async function findKeys(
  connection: DuckDBConnection,
  table: Table,
  keys: readonly ReadingKey[],
): Promise<Reading[]> {
  const columns = table.columns.map(({ name }) => `t.${quoteIdentifier(name)}`).join(', ')
  const found: Reading[] = []
  for (const { values, types } of toParameters(keys)) {
    const sql = `SELECT ${columns} FROM ${table.name} AS t JOIN ${KEYS} ON ${MATCH}`
    const rows = (await connection.runAndReadAll(sql, values, types)).getRows()
    for (const row of rows) found.push(toReading(table, row))
  }
  return found
}

export async function deleteKeys(
  connection: DuckDBConnection,
  table: Table,
  keys: readonly ReadingKey[],
): Promise<void> {
  for (const { values, types } of toParameters(keys)) {
    await connection.run(`DELETE FROM ${table.name} AS t USING ${KEYS} WHERE ${MATCH}`, values, types)
  }
}

function* toParameters(
  keys: readonly ReadingKey[],
): Generator<{ values: Record<string, DuckDBValue>; types: Record<string, DuckDBType> }> {
  // A key asked for twice would match its row twice.
  const unique = [...new Map(keys.map((key) => [`${key.timeMs} ${key.sensorId}`, key])).values()]
  unique.sort((a, b) => a.timeMs - b.timeMs)
  for (let start = 0; start < unique.length; start += KEYS_PER_STATEMENT) {
    const part = unique.slice(start, start + KEYS_PER_STATEMENT)
    yield {
      values: {
        ids: listValue(part.map(({ sensorId }) => sensorId)),
        times: listValue(part.map(({ timeMs }) => toTimestamp(timeMs))),
        earliest: toTimestamp(part[0]?.timeMs ?? 0),
        latest: toTimestamp(part.at(-1)?.timeMs ?? 0),
      },
      types: { ids: LIST(VARCHAR), times: LIST(TIMESTAMP), earliest: TIMESTAMP, latest: TIMESTAMP },
    }
  }
}
