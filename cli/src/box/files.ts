import { join } from 'node:path'
import type { StoreFiles } from '@pulso/stores'

/** Where each store lies in the data folder. The readings' name is part of the contract. */
export const journalFile = (dataDir: string): string => join(dataDir, 'journal.sqlite')
export const registryFile = (dataDir: string): string => join(dataDir, 'registry.sqlite')
export const readingsFile = (dataDir: string): string => join(dataDir, 'readings.duckdb')
/** Files that are made for downloads. */
export const exportsFolder = (dataDir: string): string => join(dataDir, 'exports')

/** The same in any folder: a backup is laid out like the data folder. */
export const storeFiles = (folder: string): StoreFiles => ({
  journalFile: journalFile(folder),
  registryFile: registryFile(folder),
  readingsFile: readingsFile(folder),
})
