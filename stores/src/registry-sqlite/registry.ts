import { DEFAULT_QUARANTINE_BOUNDS, type QuarantineBounds } from '../limits.ts'
import type { DatabaseSync } from 'node:sqlite'
import type { IngestState, Registry } from '../registry.ts'
import { openSqlite, toSqliteError } from '../sqlite.ts'
import { createSqliteCredentials } from './credentials.ts'
import { createRegistryDatabase } from './database.ts'
import { createSqliteOperators } from './operators.ts'
import { createSqliteQuarantine } from './quarantine.ts'
import { createSqliteRollups } from './rollups.ts'
import { REGISTRY_MIGRATIONS } from './schema.ts'
import { createSqliteSensors } from './sensors.ts'

export interface SqliteRegistryOptions {
  file: string
  /** What differs from `DEFAULT_QUARANTINE_BOUNDS`. */
  quarantine?: Partial<QuarantineBounds>
}

/**
 * The registry in one SQLite file. Several threads may each open it; calls run in the caller's thread.
 * @throws AppError `registry-too-new`, `registry-unavailable`
 */
export async function openSqliteRegistry(options: SqliteRegistryOptions): Promise<Registry> {
  const { file } = options
  const connection = openSqlite({ file, store: 'registry', migrations: REGISTRY_MIGRATIONS })
  try {
    return createRegistry(connection, options)
  } catch (error) {
    connection.close()
    // A file that opens may be damaged further in.
    throw toSqliteError('registry', `Cannot open the registry ${file}`, error)
  }
}

function createRegistry(connection: DatabaseSync, options: SqliteRegistryOptions): Registry {
  const database = createRegistryDatabase(connection)
  const { run, transact } = database
  const { addMissing, putWithin: putSensors, ...sensors } = createSqliteSensors(database)
  const { addWithin: addCredential, ...credentials } = createSqliteCredentials(database)
  const { add: addToQuarantine, ...quarantine } = createSqliteQuarantine(database, {
    ...DEFAULT_QUARANTINE_BOUNDS,
    ...options.quarantine,
  })
  const { addWithin: addDueHours, ...rollups } = createSqliteRollups(database)
  const putState = connection.prepare(
    'INSERT INTO states VALUES (?, ?) ON CONFLICT (sensor_id) DO UPDATE SET state = excluded.state',
  )
  const selectState = connection.prepare('SELECT state FROM states WHERE sensor_id = ?')

  return {
    driver: 'sqlite',
    ...sensors,
    ...credentials,
    ...createSqliteOperators(database),
    ...quarantine,
    ...rollups,
    commitIngest: ({ position, newSensors, states, quarantine: entries, dueHours = [] }) =>
      transact(() => {
        addMissing(newSensors)
        for (const state of states) putState.run(state.sensorId, JSON.stringify(state))
        addToQuarantine(entries)
        addDueHours(dueHours)
        database.setCounter('ingest_position', position)
      }),
    ingestPosition: () => run(() => database.counter('ingest_position')),
    listStates: () => run(() => readStates(connection)),
    getState: (sensorId) =>
      run(() => {
        const row = selectState.get(sensorId)
        return row && (JSON.parse(String(row.state)) as IngestState)
      }),
    addDevices: (batch) =>
      transact(() => {
        putSensors(batch.sensors)
        for (const credential of batch.credentials) addCredential(credential)
      }),
    check: () => run(() => void database.counter('ingest_position')),
    close: async () => {
      if (connection.isOpen) connection.close()
    },
  }
}

/** Rows whose states are joined to one text: parsing many at once takes half the time of one at a time. */
const STATES_AT_ONCE = 2_000

function readStates(connection: DatabaseSync): IngestState[] {
  const select = connection.prepare(
    `SELECT group_concat(state, ',') AS states, max(rowid) AS last
     FROM (SELECT rowid, state FROM states WHERE rowid > ? ORDER BY rowid LIMIT ${STATES_AT_ONCE})`,
  )
  const states: IngestState[] = []
  for (let after = 0; ;) {
    const page = select.get(after)
    if (typeof page?.states !== 'string') return states
    for (const state of JSON.parse(`[${page.states}]`) as IngestState[]) states.push(state)
    after = Number(page.last)
  }
}
