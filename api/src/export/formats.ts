import { GEOJSON_TYPE } from '../routes/common.ts'

/** What open data comes in, by the end of the file's name. */
export const EXPORT_FORMATS = {
  csv: 'text/csv; charset=utf-8; header=present',
  jsonl: 'application/x-ndjson; charset=utf-8',
  geojson: GEOJSON_TYPE,
  parquet: 'application/vnd.apache.parquet',
} as const
export type ExportFormat = keyof typeof EXPORT_FORMATS

/** Parquet is compressed inside. */
export const COMPRESSIBLE_EXPORTS = /^(text\/csv|application\/x-ndjson|application\/geo\+json)/

export function isExportFormat(name: string): name is ExportFormat {
  return Object.hasOwn(EXPORT_FORMATS, name)
}
