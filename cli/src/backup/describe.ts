import { formatBytes } from './disk.ts'
import type { BackupManifest } from './manifest.ts'

/** Short work needs no progress. */
const SILENT_MS = 1_000

/** Says on standard error how far long work is. */
export function reportProgress(): (text: string) => void {
  const startedMs = performance.now()
  return (text) => {
    const elapsedMs = performance.now() - startedMs
    if (elapsedMs > SILENT_MS) console.error(`${(elapsedMs / 1_000).toFixed(0)} s: ${text}`)
  }
}

/** What a backup holds, line by line. */
export function describeContents({ city, pulso, until, position, stores, files }: BackupManifest): string[] {
  const { journal, registry, readings } = stores
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const list = (counts: Record<string, number>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')
  return [
    `city      ${city}, by Pulso ${pulso}`,
    `until     ${until}, journal position ${position}: all that was acknowledged before is in it`,
    `registry  ${list(registry.counts)}`,
    `journal   ${list(journal.counts)} not yet ingested`,
    `readings  ${readings.driver === 'duckdb' ? list(readings.counts) : `in InfluxDB (${readings.bucket} at ${readings.url}), not in it`}`,
    `size      ${formatBytes(bytes)} in ${files.length} files`,
  ]
}

/** Whoever keeps readings in a server has to know that this is half of a backup. */
export function describeReadingsElsewhere({ stores: { readings } }: BackupManifest): string[] {
  if (readings.driver === 'duckdb') return []
  const { version, bucket } = readings
  const tools =
    version === '2'
      ? [`influx backup --bucket ${bucket} FOLDER`, `influx restore --bucket ${bucket} FOLDER`]
      : [
          `influxd backup -portable -database ${bucket} FOLDER`,
          `influxd restore -portable -database ${bucket} FOLDER`,
        ]
  return [
    '',
    'The readings are in InfluxDB, which has its own tools:',
    ...tools.map((tool) => `  ${tool}`),
    'The two need not be of the same moment: a reading is known by its sensor and time, so what comes twice is kept once.',
  ]
}
