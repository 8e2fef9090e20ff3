export * from './journal.ts'
export * from './readings.ts'
export * from './readings-export.ts'
export * from './registry.ts'
export * from './rollups.ts'
export * from './rpc.ts'
export * from './secret.ts'
export { copyStores, type CopiedStore, type CopiedStores, type StoreFiles } from './backup/copy-stores.ts'
export { createHoldableReader, type HoldableReader } from './backup/holdable-reader.ts'
export { checkStoreCopy, sealStoreCopies, SCHEMA_VERSIONS } from './backup/store-copy.ts'
export type { StoreSnapshot } from './backup/store-snapshot.ts'
export {
  createSqliteJournal,
  type SqliteJournal,
  type SqliteJournalOptions,
} from './journal-sqlite/journal.ts'
export { createReceiveTimes, type ReceiveTimes } from './journal-sqlite/receive-times.ts'
export { createSqliteJournalReader, type SqliteJournalReaderOptions } from './journal-sqlite/reader.ts'
export { createSqliteJournalWriter, type SqliteJournalWriterOptions } from './journal-sqlite/writer.ts'
export { openSqliteRegistry, type SqliteRegistryOptions } from './registry-sqlite/registry.ts'
