import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { AppError } from '@pulso/model'
import { checkStoreCopy, SCHEMA_VERSIONS } from '@pulso/stores'
import { storeFiles } from '../box/files.ts'
import { hashFile } from './disk.ts'
import { damaged, readManifest, type BackupManifest } from './manifest.ts'

/**
 * Reads a backup whole, as a restore would, and changes nothing.
 * @throws AppError `not-a-backup`, `backup-incomplete`, `backup-damaged`, `backup-too-new`
 */
export async function verifyBackup(
  folder: string,
  onProgress: (text: string) => void = () => undefined,
): Promise<BackupManifest> {
  const path = resolve(folder)
  const manifest = readManifest(path)
  refuseNewer(path, manifest)
  const files = storeFiles(path)
  const { journal, registry, readings } = manifest.stores
  const isEmbedded = readings.driver === 'duckdb'
  const needed = [files.journalFile, files.registryFile, ...(isEmbedded ? [files.readingsFile] : [])]
  for (const file of needed) {
    if (!manifest.files.some(({ name }) => join(path, name) === file))
      throw damaged(`${path} does not list ${file}`)
  }
  for (const { name, bytes, sha256 } of manifest.files) {
    const file = join(path, name)
    onProgress(`reading ${name}`)
    const found = await stat(file).catch((cause: unknown) => {
      throw damaged(`${file} is missing`, cause)
    })
    if (found.size !== bytes)
      throw damaged(`${file} is damaged: it has ${found.size} bytes instead of ${bytes}`)
    if ((await hashFile(file)) !== sha256)
      throw damaged(`${file} is damaged: its content is not what was written (SHA-256 differs)`)
  }
  await checkStoreCopy('journal', files.journalFile, journal)
  await checkStoreCopy('registry', files.registryFile, registry)
  if (readings.driver === 'duckdb') await checkStoreCopy('readings', files.readingsFile, readings)
  return manifest
}

function refuseNewer(path: string, { pulso, stores }: BackupManifest): void {
  const { journal, registry, readings } = stores
  const isNewer =
    journal.schemaVersion > SCHEMA_VERSIONS.journal ||
    registry.schemaVersion > SCHEMA_VERSIONS.registry ||
    (readings.driver === 'duckdb' && readings.schemaVersion > SCHEMA_VERSIONS.readings)
  if (!isNewer) return
  throw new AppError(
    'backup-too-new',
    `${path} was made by a newer Pulso (${pulso}): restore it with that one`,
  )
}
