import { existsSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { AppError, messageOf, type Clock } from '@pulso/model'
import { checkStoreCopy, sealStoreCopies, type CopiedStores } from '@pulso/stores'
import type { Config } from '../config/config.ts'
import { loadCity, loadKinds } from '../config/load.ts'
import { storeFiles } from '../box/files.ts'
import { copyTheStores } from './copy-the-stores.ts'
import { listOtherFiles, listStoreFiles } from './data-folder.ts'
import { formatBytes, hashFile, requireSpace, sumBytes, syncToDisk } from './disk.ts'
import { MANIFEST_FILE, PARTIAL_SUFFIX, type BackedUpReadings, type BackupManifest } from './manifest.ts'

export interface CreateBackupOptions {
  config: Config
  /** The backup becomes a folder in this one. */
  folder: string
  clock: Clock
  /** Told now and then, in words, how far long work is. */
  onProgress(text: string): void
}

export interface CreatedBackup {
  path: string
  manifest: BackupManifest
  /** How long the journal kept what ingest had worked in. */
  heldMs: number
}

/** How often the copy's size is looked at. */
const PROGRESS_MS = 2_000

/**
 * Backs the whole data folder up, of a running box or a stopped one. The backup has its name only when it is complete
 * and on disk; what was begun and failed is removed.
 * @throws AppError `backup-exists`, `backup-folder-unusable`, `disk-too-small`, `nothing-to-back-up`, and the stores' own
 */
export async function createBackup(options: CreateBackupOptions): Promise<CreatedBackup> {
  const { config, clock, onProgress } = options
  const [city, kinds] = await Promise.all([loadCity(config.cityFile), loadKinds(config.kindsDir)])
  const createdAt = new Date(clock.now()).toISOString()
  const path = join(resolve(options.folder), toName(createdAt))
  const partial = `${path}${PARTIAL_SUFFIX}`
  await makeFolder(path, config.dataDir)
  try {
    const { copied, heldMs } = await copyEverything(partial, options)
    onProgress('checking the copies')
    await checkCopies(partial, copied)
    const manifest: BackupManifest = {
      format: 1,
      pulso: pulsoVersion(),
      createdAt,
      until: new Date(copied.untilMs).toISOString(),
      position: copied.journal.position,
      city: city.name,
      kinds: [...kinds.keys()],
      stores: { journal: copied.journal, registry: copied.registry, readings: toReadings(copied, config) },
      files: await listCopies(partial),
    }
    await complete(partial, { path, manifest })
    return { path, manifest, heldMs }
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    throw error
  }
}

/** `pulso-backup-2026-11-21T20-36-42Z`: sorts by time, and no file system minds it. */
function toName(createdAt: string): string {
  return `pulso-backup-${createdAt.slice(0, 19).replaceAll(':', '-')}Z`
}

async function makeFolder(path: string, dataDir: string): Promise<void> {
  const parent = dirname(path)
  const inside = relative(dataDir, parent)
  if (!inside.startsWith('..') && resolve(dataDir, inside) === parent) {
    throw new AppError(
      'backup-folder-unusable',
      `${parent} is in the data folder: a backup belongs somewhere else, on another disk if there is one`,
    )
  }
  if (existsSync(path))
    throw new AppError('backup-exists', `${path} is there already; nothing was overwritten`)
  try {
    await mkdir(parent, { recursive: true, mode: 0o700 })
    await mkdir(`${path}${PARTIAL_SUFFIX}`, { mode: 0o700 })
  } catch (cause) {
    throw new AppError('backup-folder-unusable', `${path} cannot be made: ${messageOf(cause)}`, { cause })
  }
}

async function copyEverything(
  partial: string,
  { config, clock, onProgress }: CreateBackupOptions,
): Promise<{ copied: CopiedStores; heldMs: number }> {
  const { dataDir } = config
  const others = await listOtherFiles(dataDir)
  const neededBytes = await sumBytes([
    ...listStoreFiles(dataDir),
    ...others.map((name) => join(dataDir, name)),
  ])
  await requireSpace(partial, neededBytes)

  const timer = setInterval(() => {
    void readdir(partial)
      .then((names) => sumBytes(names.map((name) => join(partial, name))))
      .then((bytes) => onProgress(`copied ${formatBytes(bytes)} of about ${formatBytes(neededBytes)}`))
  }, PROGRESS_MS)
  try {
    const copied = await copyTheStores({ config, folder: partial, clock })
    for (const name of others) await copyFile(join(dataDir, name), join(partial, name))
    return { copied, heldMs: copied.heldMs }
  } finally {
    clearInterval(timer)
  }
}

/** A backup that cannot be read would be found out on the worst day. */
async function checkCopies(partial: string, { journal, registry, readings }: CopiedStores): Promise<void> {
  const files = storeFiles(partial)
  sealStoreCopies(files)
  await checkStoreCopy('journal', files.journalFile, journal)
  await checkStoreCopy('registry', files.registryFile, registry)
  if (readings) await checkStoreCopy('readings', files.readingsFile, readings)
}

async function listCopies(partial: string): Promise<BackupManifest['files']> {
  const files: BackupManifest['files'] = []
  for (const name of (await readdir(partial)).toSorted()) {
    const file = join(partial, name)
    syncToDisk(file)
    files.push({ name, bytes: (await stat(file)).size, sha256: await hashFile(file) })
  }
  return files
}

async function complete(
  partial: string,
  { path, manifest }: { path: string; manifest: BackupManifest },
): Promise<void> {
  const file = join(partial, MANIFEST_FILE)
  await writeFile(file, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 })
  syncToDisk(file)
  syncToDisk(partial)
  if (existsSync(path))
    throw new AppError('backup-exists', `${path} is there already; nothing was overwritten`)
  await rename(partial, path)
  syncToDisk(dirname(path))
}

function toReadings({ readings }: CopiedStores, { readings: configured }: Config): BackedUpReadings {
  if (readings) return { driver: 'duckdb', ...readings }
  if (configured.driver !== 'influxdb') throw new Error('readings that are nowhere')
  // Without its token: a backup is kept in more places than a server's settings.
  const { driver, url, version, org, bucket } = configured
  return { driver, url, version, org, bucket }
}

function pulsoVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}
