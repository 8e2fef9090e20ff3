import { rm } from 'node:fs/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import type { ExportColumn, ReadingsPage } from '../readings-export.ts'
import { appendPage, toDefinitions } from './parquet-rows.ts'

/** What building the file may take of the memory; what is more waits on the disk beside it. */
const MEMORY_LIMIT = '256MB'

/**
 * Writes pages to a Parquet file through a DuckDB of its own, for stores that know no Parquet.
 * @param pages in the order that the file has
 * @returns how many readings
 */
export async function writePagesToParquet({
  columns,
  next,
  file,
}: {
  columns: readonly ExportColumn[]
  next: () => Promise<ReadingsPage | null>
  file: string
}): Promise<number> {
  const collecting = `${file}.duckdb`
  const instance = await DuckDBInstance.create(collecting, {
    memory_limit: MEMORY_LIMIT,
    threads: '1',
    autoinstall_known_extensions: 'false',
  })
  try {
    const connection = await instance.connect()
    await connection.run("SET TimeZone = 'UTC'")
    await connection.run(`CREATE TABLE readings (${toDefinitions(columns)})`)
    const appender = await connection.createAppender('readings')
    for (let page = await next(); page; page = await next()) appendPage(appender, columns, page)
    appender.closeSync()
    const name = file.replaceAll("'", "''")
    const result = await connection.runAndReadAll(
      `COPY (SELECT * REPLACE (time::TIMESTAMPTZ AS time, received_at::TIMESTAMPTZ AS received_at) FROM readings)
       TO '${name}' (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)`,
    )
    connection.closeSync()
    return Number(result.getRows()[0]?.[0])
  } finally {
    instance.closeSync()
    await Promise.all([collecting, `${collecting}.wal`].map((path) => rm(path, { force: true })))
  }
}
