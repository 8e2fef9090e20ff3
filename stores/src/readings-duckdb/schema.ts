import type { DuckDBConnection } from '@duckdb/node-api'
import { AppError, type Kind, type Kinds } from '@pulso/model'
import { requireKind } from '../readings-checks.ts'
import type { Column, ColumnType } from './column.ts'
import { prepareRollupTables } from './rollup-tables.ts'
import { quoteIdentifier, quoteText } from './sql.ts'

/**
 * Version of how the tables are laid out: 2 has aggregates beside the readings of 1. Columns of new metrics are no new version: they are added as kinds gain them.
 */
export const READINGS_SCHEMA_VERSION = 2

/** A kind's table as it stands in the file: also with columns of metrics that the kind no longer has. */
export interface Table {
  kind: Kind
  /** Quoted. */
  name: string
  columns: readonly Column[]
}

const FIXED_COLUMNS: readonly Column[] = [
  { name: 'time', type: 'TIMESTAMP' },
  { name: 'received_at', type: 'TIMESTAMP' },
  { name: 'sensor_id', type: 'VARCHAR' },
]

/**
 * Creates what is missing: a table per kind and a column per metric. Without a primary key, which would make inserts
 * several times slower and the file many times larger.
 * @throws AppError `readings-too-new`, `readings-schema-conflict`
 */
export async function prepareSchema(connection: DuckDBConnection, kinds: Kinds): Promise<Map<string, Table>> {
  await connection.run('BEGIN TRANSACTION')
  try {
    await prepareMeta(connection)
    const tables = new Map<string, Table>()
    for (const kind of kinds.values()) tables.set(kind.id, await prepareTable(connection, kind))
    await prepareRollupTables(connection, kinds)
    await connection.run('COMMIT')
    return tables
  } catch (error) {
    await connection.run('ROLLBACK')
    throw error
  }
}

/** In a schema of its own, where no kind's name can meet it. */
async function prepareMeta(connection: DuckDBConnection): Promise<void> {
  await connection.run('CREATE SCHEMA IF NOT EXISTS pulso')
  await connection.run('CREATE TABLE IF NOT EXISTS pulso.meta (schema_version INTEGER, position BIGINT)')
  const rows = await selectRows(connection, 'SELECT schema_version FROM pulso.meta')
  const version = Number(rows[0]?.[0] ?? 0)
  if (version > READINGS_SCHEMA_VERSION) {
    throw new AppError(
      'readings-too-new',
      `The readings were written by a newer Pulso (schema ${version}, this one knows ${READINGS_SCHEMA_VERSION}): start that version, or restore a backup`,
    )
  }
  if (version === 0) await connection.run(`INSERT INTO pulso.meta VALUES (${READINGS_SCHEMA_VERSION}, 0)`)
  else if (version < READINGS_SCHEMA_VERSION)
    await connection.run(`UPDATE pulso.meta SET schema_version = ${READINGS_SCHEMA_VERSION}`)
}

async function prepareTable(connection: DuckDBConnection, kind: Kind): Promise<Table> {
  const name = quoteIdentifier(kind.id)
  const wanted = [...FIXED_COLUMNS, ...metricColumns(kind)]
  const definitions = wanted.map((column) => `${quoteIdentifier(column.name)} ${column.type}`)
  await connection.run(`CREATE TABLE IF NOT EXISTS main.${name} (${definitions.join(', ')})`)

  const present = new Map((await selectColumns(connection, kind.id)).map((column) => [column.name, column]))
  for (const column of wanted) {
    const found = present.get(column.name)
    if (!found) {
      await connection.run(
        `ALTER TABLE main.${name} ADD COLUMN ${quoteIdentifier(column.name)} ${column.type}`,
      )
    } else if (found.type !== column.type) {
      throw new AppError(
        'readings-schema-conflict',
        `The column '${column.name}' of '${kind.id}' holds ${found.type} and the kind now wants ${column.type}: give the metric a new name`,
      )
    }
  }
  return { kind, name: `main.${name}`, columns: await selectColumns(connection, kind.id) }
}

function metricColumns(kind: Kind): Column[] {
  return Object.entries(kind.metrics).map(([name, metric]) => ({
    name,
    type: metric.type === 'number' ? 'DOUBLE' : 'VARCHAR',
  }))
}

async function selectColumns(connection: DuckDBConnection, table: string): Promise<Column[]> {
  const rows = await selectRows(
    connection,
    `SELECT column_name, data_type FROM duckdb_columns()
     WHERE schema_name = 'main' AND NOT internal AND database_name = current_database() AND table_name = ${quoteText(table)}
     ORDER BY column_index`,
  )
  return rows.map(([name, type]) => ({ name: String(name), type: String(type) as ColumnType }))
}

async function selectRows(connection: DuckDBConnection, sql: string): Promise<unknown[][]> {
  return (await connection.runAndReadAll(sql)).getRows()
}

/** @throws AppError `unknown-kind` */
export function tableOf(tables: ReadonlyMap<string, Table>, kinds: Kinds, kindId: string): Table {
  const table = tables.get(requireKind(kinds, kindId).id)
  if (!table) throw new Error(`no table for ${kindId}`)
  return table
}
