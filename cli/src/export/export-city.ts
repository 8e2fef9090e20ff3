import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { mkdir, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { AppError, messageOf, toIsoTime, type City, type Clock, type Kinds } from '@pulso/model'
import { openSqliteRegistry, type CopiedStores, type Readings } from '@pulso/stores'
import { exportDuckdbRollups, openDuckdbReadings, openInfluxReadings } from '@pulso/stores/readings'
import { copyTheStores } from '../backup/copy-the-stores.ts'
import { listStoreFiles } from '../backup/data-folder.ts'
import { requireSpace, sumBytes, syncToDisk } from '../backup/disk.ts'
import { storeFiles } from '../box/files.ts'
import type { Config } from '../config/config.ts'
import { loadCity, loadKinds } from '../config/load.ts'
import type { ExportedFile, ExportManifest } from './manifest.ts'
import { describeExport } from './readme.ts'
import { measureFile, writeReadings, type TableFormat } from './write-readings.ts'
import { writeRegistry } from './write-registry.ts'

export interface ExportCityOptions {
  config: Config
  /** Becomes the export; may be there when it is empty. */
  folder: string
  format: TableFormat
  clock: Clock
  /** Ends the process's own interruption: what was begun is removed. */
  interrupted: AbortSignal
  onProgress(text: string): void
}

export interface ExportedCity {
  path: string
  manifest: ExportManifest
}

const PARTIAL_SUFFIX = '.partial'
/** Within the unfinished export: the moment that it is written from. */
const MOMENT_FOLDER = '.moment'

/**
 * Writes the whole city into a folder of files that need no Pulso to be read. The stores are copied as for a backup, so
 * that all of it is of one moment and a running box has no more to do than that; the files are written from the copies.
 * @throws AppError `export-folder-unusable`, `disk-too-small`, `nothing-to-back-up`, `interrupted`, and the stores' own
 */
export async function exportCity(options: ExportCityOptions): Promise<ExportedCity> {
  const { config, interrupted } = options
  const path = resolve(options.folder)
  const partial = `${path}${PARTIAL_SUFFIX}`
  await makeFolder(partial, { path, dataDir: config.dataDir })
  // At once: a copy or a query under way would keep the process for as long as it takes.
  const onAbort = (): void => rmSync(partial, { recursive: true, force: true })
  interrupted.addEventListener('abort', onAbort)
  try {
    const manifest = await writeEverything(partial, options)
    if (existsSync(path)) await rmdir(path)
    await rename(partial, path)
    syncToDisk(dirname(path))
    return { path, manifest }
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    throw toExportError(error, path)
  } finally {
    interrupted.removeEventListener('abort', onAbort)
  }
}

async function makeFolder(
  partial: string,
  { path, dataDir }: { path: string; dataDir: string },
): Promise<void> {
  const inside = relative(dataDir, path)
  if (!inside.startsWith('..') && resolve(dataDir, inside) === path)
    throw unusable(`${path} is in the data folder: name a folder somewhere else`)
  try {
    if (existsSync(path) && readdirSync(path).length > 0)
      throw unusable(`${path} is not empty; nothing was overwritten`)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await mkdir(partial, { mode: 0o700 })
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    if (existsSync(partial))
      throw unusable(
        `${partial} is left from an export that was killed, or of one under way: remove it first`,
      )
    throw unusable(`${path} cannot be made: ${messageOf(cause)}`)
  }
}

function unusable(message: string): AppError {
  return new AppError('export-folder-unusable', message)
}

function toExportError(error: unknown, path: string): unknown {
  if (!/ENOSPC|No space left/i.test(messageOf(error))) return error
  const message = `The disk of ${path} is full; the export was given up and removed: name a folder on another disk`
  return new AppError('disk-too-small', message, { cause: error })
}

async function writeEverything(partial: string, options: ExportCityOptions): Promise<ExportManifest> {
  const { config, clock, onProgress } = options
  const [city, kinds] = await Promise.all([loadCity(config.cityFile), loadKinds(config.kindsDir)])
  const moment = join(partial, MOMENT_FOLDER)
  await mkdir(moment, { mode: 0o700 })
  // The copies, and what is written from them.
  await requireSpace(partial, 2 * (await sumBytes(listStoreFiles(config.dataDir))))
  onProgress('copying the stores')
  const copied = await copyTheStores({ config, folder: moment, clock })
  const { files, period } = await writeFiles(partial, { ...options, city, kinds })
  await rm(moment, { recursive: true })
  const manifest: ExportManifest = {
    format: 1,
    pulso: pulsoVersion(),
    city: city.name,
    createdAt: toIsoTime(clock.now()),
    until: toIsoTime(copied.untilMs),
    waiting: Object.values(copied.journal.counts).reduce((sum, count) => sum + count, 0),
    period: period && { from: toIsoTime(period.firstMs), to: toIsoTime(period.lastMs) },
    files,
    notes: listNotes({ copied, kinds, files }),
  }
  await writeLast(join(partial, 'README.txt'), describeExport(manifest))
  await writeLast(join(partial, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  syncToDisk(partial)
  return manifest
}

async function writeFiles(
  partial: string,
  { config, city, kinds, format, onProgress }: ExportCityOptions & { city: City; kinds: Kinds },
) {
  const copies = storeFiles(join(partial, MOMENT_FOLDER))
  await using parts = new AsyncDisposableStack()
  const registry = await openSqliteRegistry({ file: copies.registryFile })
  parts.defer(() => registry.close())
  const files = await writeRegistry(partial, { registry, city })
  const readings = await openCopiedReadings({ config, kinds, file: copies.readingsFile })
  const taken = await writeReadings(partial, { readings, kinds, format, onProgress }).finally(() =>
    readings.close(),
  )
  files.push(...taken.files)
  if (config.readings.driver === 'duckdb') {
    onProgress('writing the aggregates')
    files.push(...(await writeRollups(partial, { file: copies.readingsFile, format })))
  }
  return { files, period: taken.period }
}

function openCopiedReadings({
  config: { readings },
  kinds,
  file,
}: {
  config: Config
  kinds: Kinds
  file: string
}): Promise<Readings> {
  return readings.driver === 'duckdb'
    ? openDuckdbReadings({ file, kinds })
    : openInfluxReadings({ ...readings, kinds })
}

async function writeRollups(
  partial: string,
  { file, format }: { file: string; format: TableFormat },
): Promise<ExportedFile[]> {
  const folder = join(partial, 'rollups')
  await mkdir(folder, { mode: 0o700 })
  const files: ExportedFile[] = []
  for (const table of await exportDuckdbRollups({ file, folder, format })) {
    const name = `rollups/${table.file}`
    const description = 'Aggregates: sums, means and shares of a period, worked out from the readings'
    const measured = await measureFile(join(partial, name))
    files.push({ name, description, rows: table.rows, ...measured })
  }
  if (files.length === 0) await rmdir(folder)
  return files
}

function listNotes({
  copied,
  kinds,
  files,
}: {
  copied: CopiedStores
  kinds: Kinds
  files: readonly ExportedFile[]
}): string[] {
  const waiting = Object.values(copied.journal.counts).reduce((sum, count) => sum + count, 0)
  const lost = Object.keys(copied.readings?.counts ?? {}).filter((table) => !kinds.has(table))
  return [
    ...(waiting > 0
      ? [`${waiting} messages had been acknowledged and were not stored yet; they are not in it.`]
      : []),
    ...(copied.readings
      ? []
      : ['Readings come from InfluxDB, which knows no moment: what arrived meanwhile may be in it.']),
    ...(files.some(({ name }) => name.startsWith('rollups/'))
      ? []
      : ['There are no aggregates in it; they can be worked out from the readings.']),
    ...lost.map(
      (table) => `The store has a table '${table}' of no known kind; it is in a backup, and not in here.`,
    ),
    'Who works for the city, passwords, tokens and their hashes are not in it.',
  ]
}

async function writeLast(file: string, text: string): Promise<void> {
  await writeFile(file, text, { mode: 0o600 })
  syncToDisk(file)
}

function pulsoVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}
