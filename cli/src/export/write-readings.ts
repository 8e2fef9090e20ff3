import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createCsvEncoder } from '@pulso/api'
import type { Kind, Kinds } from '@pulso/model'
import type { ExportColumn, ExportPeriod, Readings, ReadingsExport } from '@pulso/stores'
import { formatBytes, hashFile, syncToDisk } from '../backup/disk.ts'
import { writePieces, type FileDescription, type Piece } from './file-writer.ts'
import type { ExportedColumn, ExportedFile } from './manifest.ts'

export type TableFormat = 'csv' | 'parquet'

/** Every time that a reading can have. */
const EVER = { fromMs: Date.UTC(1970, 0, 1), toMs: Date.UTC(2200, 0, 1) }
const PROGRESS_MS = 2_000
const FOLDER = 'readings'

export interface WriteReadingsOptions {
  readings: Readings
  kinds: Kinds
  format: TableFormat
  onProgress(text: string): void
}

/** A file per kind with all its readings, by time and sensor. */
export async function writeReadings(
  folder: string,
  { readings, kinds, format, onProgress }: WriteReadingsOptions,
): Promise<{ files: ExportedFile[]; period: ExportPeriod | null }> {
  await mkdir(join(folder, FOLDER), { mode: 0o700 })
  const files: ExportedFile[] = []
  let period: ExportPeriod | null = null
  for (const kind of kinds.values()) {
    const taking = await readings.openExport({ kind: kind.id, metrics: 'all', ...EVER })
    try {
      period = unite(period, taking.period)
      const described = {
        name: `${FOLDER}/${kind.id}.${format}`,
        description: `Readings: ${kind.plural.en.toLowerCase()}`,
        columns: describeColumns(kind, taking.columns),
      }
      files.push(
        await (format === 'csv'
          ? writeCsv(folder, described, { taking, onProgress })
          : writeParquet(folder, described, { taking, onProgress })),
      )
    } finally {
      await taking.close()
    }
  }
  return { files, period }
}

function unite(a: ExportPeriod | null, b: ExportPeriod | null): ExportPeriod | null {
  if (!a || !b) return a ?? b
  return { firstMs: Math.min(a.firstMs, b.firstMs), lastMs: Math.max(a.lastMs, b.lastMs) }
}

interface Taking {
  taking: ReadingsExport
  onProgress(text: string): void
}

function writeCsv(folder: string, described: FileDescription, options: Taking): Promise<ExportedFile> {
  return writePieces(folder, described, encodePages(described.name, options))
}

async function* encodePages(name: string, { taking, onProgress }: Taking): AsyncGenerator<Piece> {
  const encoder = createCsvEncoder(taking.columns)
  const startedMs = performance.now()
  let [rows, bytes, saidMs] = [0, 0, startedMs]
  yield { text: encoder.head(), rows: 0 }
  for (let page = await taking.next(); page; page = await taking.next()) {
    const text = encoder.page(page)
    yield { text, rows: page.rows }
    rows += page.rows
    bytes += text.length
    const nowMs = performance.now()
    if (nowMs - saidMs < PROGRESS_MS) continue
    saidMs = nowMs
    onProgress(`${name}: ${rows} readings, ${toRate(bytes, nowMs - startedMs)}`)
  }
}

async function writeParquet(
  folder: string,
  { name, ...described }: FileDescription,
  { taking, onProgress }: Taking,
): Promise<ExportedFile> {
  const file = join(folder, name)
  const startedMs = performance.now()
  const timer = setInterval(() => {
    void stat(file).then(
      ({ size }) => onProgress(`${name}: ${toRate(size, performance.now() - startedMs)}`),
      () => undefined,
    )
  }, PROGRESS_MS)
  try {
    const rows = await taking.writeParquet(file)
    return { name, ...described, rows, ...(await measureFile(file)) }
  } finally {
    clearInterval(timer)
  }
}

/** Size and checksum of a file that somebody else wrote; it is on disk afterwards. */
export async function measureFile(file: string): Promise<{ bytes: number; sha256: string }> {
  syncToDisk(file)
  return { bytes: (await stat(file)).size, sha256: await hashFile(file) }
}

function toRate(bytes: number, elapsedMs: number): string {
  return `${formatBytes(bytes)}, ${formatBytes((bytes / Math.max(1, elapsedMs)) * 1_000)}/s`
}

function describeColumns({ metrics }: Kind, columns: readonly ExportColumn[]): ExportedColumn[] {
  return [
    { name: 'time', type: 'time', description: 'When it was measured, in UTC' },
    { name: 'received_at', type: 'time', description: 'When it arrived, in UTC' },
    { name: 'sensor_id', type: 'text', description: 'The sensor, as in sensors.jsonl' },
    ...columns.map(({ metric: name, type }): ExportedColumn => {
      const metric = Object.hasOwn(metrics, name) ? metrics[name] : undefined
      const description = metric?.title.en ?? 'A metric that the kind does not have any more'
      return { name, type, description, ...(metric?.type === 'number' && { unit: metric.unit }) }
    }),
  ]
}
