import { join } from 'node:path'

/** Where each store lies in the data folder. The readings' name is part of the contract. */
export const journalFile = (dataDir: string): string => join(dataDir, 'journal.sqlite')
export const registryFile = (dataDir: string): string => join(dataDir, 'registry.sqlite')
export const readingsFile = (dataDir: string): string => join(dataDir, 'readings.duckdb')
