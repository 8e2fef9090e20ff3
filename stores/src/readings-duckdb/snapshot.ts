import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import type { StoreSnapshot } from '../backup/store-snapshot.ts'
import { toReadingsError } from './session.ts'
import { quoteIdentifier, quoteText } from './sql.ts'

/** The copy's name while it is attached. */
const TARGET = 'pulso_backup'

/**
 * Holds the readings as they are now in a transaction on a connection of its own, and copies them within it. Batches
 * are committed meanwhile, and are not in the copy.
 * @param connection is closed with the snapshot
 * @param source the name under which the connection knows the readings
 */
export async function openDuckdbSnapshot(
  connection: DuckDBConnection,
  source: string,
): Promise<StoreSnapshot> {
  const name = quoteIdentifier(source)
  let copying: Promise<Record<string, number>> | undefined
  let isClosed = false
  const select = async (sql: string): Promise<unknown[][]> => (await connection.runAndReadAll(sql)).getRows()

  const copyTo = async (file: string): Promise<Record<string, number>> => {
    try {
      const counts = await countRows(select, source)
      await connection.run(`ATTACH ${quoteText(file)} AS ${TARGET}`)
      await connection.run(`COPY FROM DATABASE ${name} TO ${TARGET}`)
      await connection.run('COMMIT')
      // Into the file itself: its log would be a second file.
      await connection.run(`CHECKPOINT ${TARGET}`)
      await connection.run(`DETACH ${TARGET}`)
      return counts
    } catch (error) {
      throw toReadingsError(`Cannot copy the readings to ${file}`, error)
    }
  }

  try {
    await connection.run('BEGIN TRANSACTION')
    const [meta] = await select(`SELECT schema_version, position FROM ${name}.pulso.meta`)
    return {
      schemaVersion: Number(meta?.[0]),
      position: Number(meta?.[1]),
      copyTo: (file) => (copying = copyTo(file)),
      async close() {
        if (isClosed) return
        isClosed = true
        if (copying) connection.interrupt()
        await copying?.catch(() => undefined)
        connection.closeSync()
      },
    }
  } catch (error) {
    connection.closeSync()
    throw toReadingsError('Cannot take a snapshot of the readings', error)
  }
}

async function countRows(
  select: (sql: string) => Promise<unknown[][]>,
  source: string,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  const tables = await select(
    `SELECT table_name FROM duckdb_tables()
     WHERE database_name = ${quoteText(source)} AND schema_name = 'main' ORDER BY table_name`,
  )
  for (const [table] of tables) {
    const from = `${quoteIdentifier(source)}.main.${quoteIdentifier(String(table))}`
    const [row] = await select(`SELECT count(*) FROM ${from}`)
    counts[String(table)] = Number(row?.[0])
  }
  return counts
}

/**
 * The same of a file that nobody has open, which stays as it is: also with the schema of another version.
 * @throws AppError `readings-locked`, `readings-unavailable`
 */
export async function openDuckdbFileSnapshot(file: string): Promise<StoreSnapshot> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: '1GB',
    autoinstall_known_extensions: 'false',
  })
  try {
    const connection = await instance.connect()
    await connection.run(`ATTACH ${quoteText(file)} AS readings (READ_ONLY)`)
    const snapshot = await openDuckdbSnapshot(connection, 'readings')
    return {
      ...snapshot,
      async close() {
        await snapshot.close()
        instance.closeSync()
      },
    }
  } catch (error) {
    instance.closeSync()
    throw toReadingsError(`Cannot open the readings ${file}`, error)
  }
}
