import { DatabaseSync } from 'node:sqlite'
import { AppError, messageOf } from '@pulso/model'
import { JOURNAL_MIGRATIONS } from '../journal-sqlite/schema.ts'
import { READINGS_SCHEMA_VERSION } from '../readings-duckdb/schema.ts'
import { REGISTRY_MIGRATIONS } from '../registry-sqlite/schema.ts'
import type { CopiedStore, StoreFiles } from './copy-stores.ts'
import { openJournalSnapshot, openRegistrySnapshot } from './sqlite-snapshot.ts'
import type { StoreSnapshot } from './store-snapshot.ts'

/** The newest schemas that this Pulso knows. */
export const SCHEMA_VERSIONS = {
  journal: JOURNAL_MIGRATIONS.length,
  registry: REGISTRY_MIGRATIONS.length,
  readings: READINGS_SCHEMA_VERSION,
} as const

/**
 * Makes copies fit to be kept: single files that can be read where nothing may be written, without the room of what the
 * journal has forgotten. Takes its time with large files.
 */
export function sealStoreCopies({ journalFile, registryFile }: StoreFiles): void {
  for (const file of [journalFile, registryFile]) {
    const database = new DatabaseSync(file)
    try {
      database.exec('PRAGMA journal_mode = DELETE')
      const [free, all] = ['freelist_count', 'page_count'].map((pragma) =>
        Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma]),
      )
      if ((free ?? 0) > (all ?? 0) / 2) database.exec('VACUUM')
    } finally {
      database.close()
    }
  }
}

/**
 * Reads a copy as a start would, without changing it.
 * @throws AppError `backup-damaged` when it cannot be read, or is not at the version and position expected of it
 */
export async function checkStoreCopy(
  store: keyof typeof SCHEMA_VERSIONS,
  file: string,
  expected: Pick<CopiedStore, 'schemaVersion' | 'position'>,
): Promise<void> {
  try {
    if (store !== 'readings') quickCheck(file)
    const open = {
      journal: openJournalSnapshot,
      registry: openRegistrySnapshot,
      readings: openReadingsFile,
    }
    const snapshot = await open[store](file)
    const { schemaVersion, position } = snapshot
    await snapshot.close()
    if (schemaVersion !== expected.schemaVersion || position !== expected.position) {
      throw new Error(
        `it has schema ${schemaVersion} and position ${position}, but should have ${expected.schemaVersion} and ${expected.position}`,
      )
    }
  } catch (cause) {
    throw new AppError('backup-damaged', `${file} is damaged: ${messageOf(cause)}`, { cause })
  }
}

/** DuckDB is loaded only where a file of its is read: this module is part of every command. */
async function openReadingsFile(file: string): Promise<StoreSnapshot> {
  const { openDuckdbFileSnapshot } = await import('../readings-duckdb/snapshot.ts')
  return openDuckdbFileSnapshot(file)
}

/** SQLite's own look at every page. */
function quickCheck(file: string): void {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const faults = database.prepare('PRAGMA quick_check(3)').all()
    const words = faults.map(({ quick_check: fault }) => String(fault))
    if (words.join() !== 'ok') throw new Error(words.join('; '))
  } finally {
    database.close()
  }
}
