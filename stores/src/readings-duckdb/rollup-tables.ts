import type { DuckDBConnection } from '@duckdb/node-api'
import { RESOLUTIONS, rollupFields, type Kind, type Kinds, type Resolution, type Scope } from '@pulso/model'
import type { Column } from './column.ts'
import { quoteIdentifier, quoteText } from './sql.ts'

const SCHEMA = 'rollup'

const FIXED_COLUMNS: readonly Column[] = [
  // When the bucket began.
  { name: 'time', type: 'TIMESTAMP' },
  { name: 'scope', type: 'VARCHAR' },
  { name: 'id', type: 'VARCHAR' },
  { name: 'elapsed_ms', type: 'DOUBLE' },
]

/**
 * Where the aggregates of these scopes are, quoted. Those of sensors are thousands of times more: apart from them, a
 * question about the city reads next to nothing.
 */
export function rollupTable(kind: Kind, resolution: Resolution, scope: Scope): string {
  return `${SCHEMA}.${quoteIdentifier(tableName(kind, resolution, scope))}`
}

function tableName({ id }: Kind, resolution: Resolution, scope: Scope): string {
  return scope === 'sensor' ? `${id}_${resolution}_sensors` : `${id}_${resolution}`
}

/** A sensor's five minutes are worked out when asked for. */
export function isStored(resolution: Resolution, scope: Scope): boolean {
  return scope !== 'sensor' || resolution !== '5m'
}

/** Creates what is missing: tables, and columns of new metrics and states. Those of lost ones stay. */
export async function prepareRollupTables(connection: DuckDBConnection, kinds: Kinds): Promise<void> {
  await connection.run(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`)
  const present = await selectColumns(connection)
  for (const kind of kinds.values()) {
    const wanted = rollupColumns(kind)
    for (const resolution of RESOLUTIONS) {
      for (const scope of ['sensor', 'zone'] as const) {
        if (!isStored(resolution, scope)) continue
        const table = rollupTable(kind, resolution, scope)
        const columns = present.get(tableName(kind, resolution, scope))
        const missing = wanted.filter(({ name }) => !columns?.has(name))
        const definitions = missing.map(({ name, type }) => `${quoteIdentifier(name)} ${type}`)
        if (!columns) await connection.run(`CREATE TABLE ${table} (${definitions.join(', ')})`)
        else
          for (const definition of definitions)
            await connection.run(`ALTER TABLE ${table} ADD COLUMN ${definition}`)
      }
    }
  }
}

function rollupColumns(kind: Kind): Column[] {
  const fields = rollupFields(kind).map(({ name, type }): Column => ({
    name,
    type: type === 'text' ? 'VARCHAR' : 'DOUBLE',
  }))
  return [...FIXED_COLUMNS, ...fields]
}

async function selectColumns(connection: DuckDBConnection): Promise<Map<string, Set<string>>> {
  const result = await connection.runAndReadAll(
    `SELECT table_name, column_name FROM duckdb_columns()
     WHERE schema_name = ${quoteText(SCHEMA)} AND database_name = current_database()`,
  )
  const columns = new Map<string, Set<string>>()
  for (const [table, column] of result.getRows()) {
    const known = columns.get(String(table))
    if (known) known.add(String(column))
    else columns.set(String(table), new Set([String(column)]))
  }
  return columns
}
