import { DuckDBInstance } from '@duckdb/node-api'
import { join } from 'node:path'
import { toReadingsError } from './session.ts'
import { quoteIdentifier, quoteText } from './sql.ts'

export interface ExportedTable {
  /** The name of the file in the folder. */
  file: string
  rows: number
  columns: string[]
}

/**
 * Writes each table of aggregates of a DuckDB file that nobody has open into a file of its own, by time. Empty ones are
 * left out.
 * @throws AppError `readings-unavailable`
 */
export async function exportDuckdbRollups({
  file,
  folder,
  format,
}: {
  file: string
  folder: string
  format: 'csv' | 'parquet'
}): Promise<ExportedTable[]> {
  const instance = await DuckDBInstance.create(file, {
    access_mode: 'READ_ONLY',
    memory_limit: '1GB',
    autoinstall_known_extensions: 'false',
  })
  try {
    const connection = await instance.connect()
    const select = async (sql: string): Promise<unknown[][]> =>
      (await connection.runAndReadAll(sql)).getRows()
    await connection.run("SET TimeZone = 'UTC'")
    const tables = await select(
      `SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns()
       WHERE schema_name = 'rollup' AND database_name = current_database() GROUP BY 1 ORDER BY 1`,
    )
    const exported: ExportedTable[] = []
    const [time, options] =
      format === 'csv'
        ? ["strftime(time, '%Y-%m-%dT%H:%M:%S.%gZ')", "FORMAT csv, HEADER, DELIMITER ','"]
        : ['time::TIMESTAMPTZ', 'FORMAT parquet, COMPRESSION zstd']
    for (const [table] of tables) {
      const name = String(table)
      const from = `rollup.${quoteIdentifier(name)}`
      const columns = (await connection.runAndReadAll(`SELECT * FROM ${from} LIMIT 0`)).columnNames()
      if ((await select(`SELECT 1 FROM ${from} LIMIT 1`)).length === 0) continue
      const target = quoteText(join(folder, `${name}.${format}`))
      const [row] = await select(
        `COPY (SELECT * REPLACE (${time} AS time) FROM ${from} ORDER BY ${from}.time, scope, id)
         TO ${target} (${options}, USE_TMP_FILE false)`,
      )
      exported.push({ file: `${name}.${format}`, rows: Number(row?.[0]), columns })
    }
    connection.closeSync()
    return exported
  } catch (error) {
    throw toReadingsError('Cannot take aggregates out', error)
  } finally {
    instance.closeSync()
  }
}
