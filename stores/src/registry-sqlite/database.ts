import type { DatabaseSync } from 'node:sqlite'
import { inTransaction, toSqliteError } from '../sqlite.ts'

/** How the registry's parts reach the file: every failure of SQLite becomes a `registry-unavailable`. */
export interface RegistryDatabase {
  readonly connection: DatabaseSync
  /** One or more statements that only read, or one that writes. */
  run: <T>(work: () => T) => Promise<T>
  /** Several statements, all or none. */
  transact: <T>(work: () => T) => Promise<T>
  counter(name: CounterName): number
  setCounter(name: CounterName, value: number): void
}

export type CounterName = 'sensor_revision' | 'ingest_position' | QuarantineCounter

export type QuarantineCounter =
  'quarantine_entries' | 'quarantine_bytes' | 'quarantine_dropped' | 'quarantine_returned'

export function createRegistryDatabase(connection: DatabaseSync): RegistryDatabase {
  const select = connection.prepare('SELECT value FROM counters WHERE name = ?')
  const update = connection.prepare('UPDATE counters SET value = ? WHERE name = ?')

  const run = async <T>(work: () => T): Promise<T> => {
    try {
      return work()
    } catch (error) {
      throw toSqliteError('registry', 'The registry does not answer', error)
    }
  }
  return {
    connection,
    run,
    transact: (work) => run(() => inTransaction(connection, work)),
    counter: (name) => Number(select.get(name)?.value),
    setCounter: (name, value) => void update.run(value, name),
  }
}
