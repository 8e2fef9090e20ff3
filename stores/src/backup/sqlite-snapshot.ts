import { backup, DatabaseSync } from 'node:sqlite'
import { SELECT_LAST_POSITION } from '../journal-sqlite/schema.ts'
import { readSchemaVersion, toSqliteError } from '../sqlite.ts'
import type { StoreSnapshot } from './store-snapshot.ts'

interface SqliteStore {
  name: 'journal' | 'registry'
  selectPosition: string
  selectCounts: string
}

const JOURNAL: SqliteStore = {
  name: 'journal',
  selectPosition: `SELECT last_position AS position FROM (${SELECT_LAST_POSITION})`,
  selectCounts: `SELECT last_position - (SELECT acknowledged_position FROM progress) AS messages FROM (${SELECT_LAST_POSITION})`,
}
const REGISTRY: SqliteStore = {
  name: 'registry',
  selectPosition: "SELECT value AS position FROM counters WHERE name = 'ingest_position'",
  selectCounts: `SELECT (SELECT count(*) FROM sensors) AS sensors, (SELECT count(*) FROM credentials) AS credentials,
    (SELECT count(*) FROM operators) AS operators`,
}

/** At a time between two looks at the event loop: 4 MiB. */
const PAGES_PER_STEP = 1_000

/** @throws AppError `journal-unavailable` */
export function openJournalSnapshot(file: string): StoreSnapshot {
  return openSnapshot(JOURNAL, file)
}

/** @throws AppError `registry-unavailable` */
export function openRegistrySnapshot(file: string): StoreSnapshot {
  return openSnapshot(REGISTRY, file)
}

/**
 * A transaction that reads, on a connection of its own: in WAL mode it sees the file as it is now for as long as it
 * lasts, and nobody waits for it. The copy is made page by page in another thread, within the same transaction.
 */
function openSnapshot({ name, selectPosition, selectCounts }: SqliteStore, file: string): StoreSnapshot {
  let connection: DatabaseSync | undefined
  try {
    const opened = (connection = new DatabaseSync(file, { readOnly: true, timeout: 5_000 }))
    opened.exec('BEGIN')
    return {
      schemaVersion: readSchemaVersion(opened),
      position: Number(opened.prepare(selectPosition).get()?.position),
      async copyTo(target) {
        try {
          await backup(opened, target, { rate: PAGES_PER_STEP })
          return { ...(opened.prepare(selectCounts).get() as Record<string, number>) }
        } catch (error) {
          throw toSqliteError(name, `Cannot copy the ${name} to ${target}`, error)
        }
      },
      async close() {
        if (opened.isOpen) opened.close()
      },
    }
  } catch (error) {
    connection?.close()
    throw toSqliteError(name, `Cannot back up the ${name} ${file}`, error)
  }
}
