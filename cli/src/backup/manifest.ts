import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError, messageOf } from '@pulso/model'
import type { CopiedStore } from '@pulso/stores'

/** What `backup.json` says of the files beside it. */
export interface BackupManifest {
  format: 1
  /** The Pulso that made it. */
  pulso: string
  createdAt: string
  /** Everything that was acknowledged before this moment is in the backup. */
  until: string
  /** The journal's position that it ends at. */
  position: number
  city: string
  kinds: string[]
  stores: { journal: CopiedStore; registry: CopiedStore; readings: BackedUpReadings }
  /** Beside `backup.json`; nothing else belongs to the backup. */
  files: BackupFile[]
}

/** Readings in a server are not in the backup; it says where they are. */
export type BackedUpReadings =
  | ({ driver: 'duckdb' } & CopiedStore)
  | { driver: 'influxdb'; url: string; version: '1' | '2'; org: string; bucket: string }

export interface BackupFile {
  name: string
  bytes: number
  sha256: string
}

export const MANIFEST_FILE = 'backup.json'
export const PARTIAL_SUFFIX = '.partial'

/** @throws AppError `not-a-backup`, `backup-incomplete`, `backup-too-new`, `backup-damaged` */
export function readManifest(folder: string): BackupManifest {
  if (folder.endsWith(PARTIAL_SUFFIX)) {
    throw new AppError(
      'backup-incomplete',
      `${folder} was not finished: whatever made it was interrupted. It may be removed; take another backup.`,
    )
  }
  const file = join(folder, MANIFEST_FILE)
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    if (cause instanceof SyntaxError) throw damaged(`${file} is not JSON`, cause)
    throw new AppError('not-a-backup', `${folder} is no backup of Pulso: ${messageOf(cause)}`, { cause })
  }
  if (!isRecord(content) || typeof content.format !== 'number') throw damaged(`${file} names no format`)
  if (content.format > 1) {
    throw new AppError(
      'backup-too-new',
      `${folder} was made by a newer Pulso (${String(content.pulso)}): restore it with that one`,
    )
  }
  if (!isManifest(content)) throw damaged(`${file} lacks something`)
  return content
}

export function damaged(what: string, cause?: unknown): AppError {
  return new AppError('backup-damaged', what, { cause })
}

function isManifest(content: Record<string, unknown>): content is Record<string, unknown> & BackupManifest {
  const { stores, files } = content
  return (
    ['pulso', 'createdAt', 'until', 'city'].every((name) => typeof content[name] === 'string') &&
    Number.isSafeInteger(content.position) &&
    Array.isArray(content.kinds) &&
    isRecord(stores) &&
    isCopiedStore(stores.journal) &&
    isCopiedStore(stores.registry) &&
    isRecord(stores.readings) &&
    (stores.readings.driver === 'influxdb' || isCopiedStore(stores.readings)) &&
    Array.isArray(files) &&
    files.every(isBackupFile)
  )
}

function isCopiedStore(value: unknown): value is CopiedStore {
  return (
    isRecord(value) &&
    Number.isSafeInteger(value.schemaVersion) &&
    Number.isSafeInteger(value.position) &&
    isRecord(value.counts)
  )
}

/** A name with a folder in it would leave the data folder. */
function isBackupFile(value: unknown): value is BackupFile {
  return (
    isRecord(value) &&
    typeof value.name === 'string' &&
    /^[^/\\\0]+$/.test(value.name) &&
    !['.', '..', MANIFEST_FILE].includes(value.name) &&
    Number.isSafeInteger(value.bytes) &&
    typeof value.sha256 === 'string'
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
