import { rm } from 'node:fs/promises'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { AppError, messageOf, type Kinds } from '@pulso/model'
import { createPlacesTable } from './places.ts'
import { prepareSchema, type Table } from './schema.ts'
import { cutTornLog, type CutLog } from './torn-log.ts'

export interface SessionOptions {
  file: string
  kinds: Kinds
  /** What DuckDB may take for itself, in its own words: `1GB`. */
  memoryLimit: string
  mending?: Mending | undefined
}

/** What it takes to mend a log that a power cut has torn; without it such a file is refused. */
export interface Mending {
  /** The position of the last batch that the registry has committed: all behind it is still in the journal. */
  committedPosition: () => Promise<number>
  onMended: (cut: CutLog) => void
}

/** The open file: a connection for each sort of work, so that none waits for another's transaction. */
export interface Session {
  file: string
  writer: DuckDBConnection
  queries: DuckDBConnection
  /** Writes aggregates. */
  rolling: DuckDBConnection
  /** Works aggregates out of readings. */
  measuring: DuckDBConnection
  /** Asks for stored aggregates. */
  asking: DuckDBConnection
  tables: ReadonlyMap<string, Table>
  /** The name that DuckDB gave the file. */
  database: string
  /** A further connection, to be closed before the session is. */
  connect(): Promise<DuckDBConnection>
  close(): void
}

/**
 * DuckDB takes an exclusive lock on the file, which however does not tell two instances in one process apart: there
 * must be one per process.
 * @throws AppError `readings-locked`, `readings-too-new`, `readings-schema-conflict`, `readings-unavailable`
 */
export async function openSession({ file, kinds, memoryLimit, mending }: SessionOptions): Promise<Session> {
  const instance = await openMended({ file, memoryLimit, mending })
  try {
    // What a killed process could not hold in memory; only the file's one user may remove it.
    await rm(`${file}.tmp`, { recursive: true, force: true })
    const writer = await instance.connect()
    const queries = await instance.connect()
    const rolling = await instance.connect()
    const measuring = await instance.connect()
    const asking = await instance.connect()
    const tables = await prepareSchema(writer, kinds)
    await createPlacesTable(writer)
    return {
      file,
      writer,
      queries,
      rolling,
      measuring,
      asking,
      tables,
      database: await selectDatabase(queries),
      connect: () => instance.connect(),
      close() {
        for (const connection of [writer, queries, rolling, measuring, asking]) connection.closeSync()
        instance.closeSync()
      },
    }
  } catch (error) {
    instance.closeSync()
    throw toReadingsError(`Cannot prepare the readings in ${file}`, error)
  }
}

async function selectDatabase(connection: DuckDBConnection): Promise<string> {
  const [row] = (await connection.runAndReadAll('SELECT current_database()')).getRows()
  return String(row?.[0])
}

async function openMended({
  file,
  memoryLimit,
  mending,
}: Omit<SessionOptions, 'kinds'>): Promise<DuckDBInstance> {
  try {
    return await openInstance(file, memoryLimit)
  } catch (error) {
    const cut = mending && (await cutTornLog({ file, error, committedPosition: mending.committedPosition }))
    if (!cut) throw error
    mending.onMended(cut)
    return openInstance(file, memoryLimit)
  }
}

async function openInstance(file: string, memoryLimit: string): Promise<DuckDBInstance> {
  try {
    return await DuckDBInstance.create(file, {
      memory_limit: memoryLimit,
      // Nothing is fetched from anywhere: what Pulso needs is built in.
      autoinstall_known_extensions: 'false',
    })
  } catch (error) {
    const reason = messageOf(error)
    if (!reason.includes('Could not set lock'))
      throw toReadingsError(`Cannot open the readings ${file}`, error)
    const holder = /PID (\d+)/.exec(reason)?.[1]
    throw new AppError(
      'readings-locked',
      `Another program${holder ? ` (process ${holder})` : ''} has ${file} open, and DuckDB lets only one in: end it, or work on a copy of the file`,
      { cause: error, status: 503 },
    )
  }
}

/** What may be over at the next try: a full disk, too little memory, a failed commit. */
const PASSING_ERRORS = /^(IO|Out of Memory|TransactionContext|Connection|INTERRUPT|FATAL|INTERNAL) Error/i

/** DuckDB's error in our terms. What is wrong with the request itself comes again with it, and is not retryable. */
export function toReadingsError(doing: string, error: unknown): AppError {
  if (error instanceof AppError) return error
  const isPassing = PASSING_ERRORS.test(messageOf(error))
  return new AppError(
    isPassing ? 'readings-unavailable' : 'readings-refused',
    `${doing}: ${messageOf(error)}`,
    {
      cause: error,
      retryable: isPassing,
      status: isPassing ? 503 : 500,
    },
  )
}

/** After a fatal error (a failed checkpoint, say) DuckDB answers nothing until the file is opened anew. */
export function isInvalidated(error: unknown): boolean {
  return /database has been invalidated|FATAL Error/.test(messageOf(error))
}
