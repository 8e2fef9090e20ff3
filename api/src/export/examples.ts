import { MINUTE_MS, type Kinds } from '@pulso/model'
import type { ExportColumn, ReadingsPage } from '@pulso/stores'
import { isPublic } from '../current/features.ts'
import { EXAMPLE_MS } from '../routes/examples.ts'
import { createCsvEncoder } from './csv.ts'
import type { Encoder } from './encoder.ts'
import { createGeojsonEncoder } from './geojson.ts'
import { createJsonlEncoder } from './jsonl.ts'

/** What a reading of the first kind looks like in each format, written by the code that writes the files. */
export function createExportExamples(kinds: Kinds): Record<'csv' | 'jsonl' | 'geojson', string> {
  const [kind] = kinds.values()
  const metrics = Object.entries(kind?.metrics ?? {}).filter(([name]) => kind && isPublic(kind, name))
  const columns = metrics.map(([metric, { type }]): ExportColumn => ({
    metric,
    type: type === 'number' ? 'number' : 'text',
  }))
  const page: ReadingsPage = {
    rows: 1,
    timesMs: Float64Array.of(EXAMPLE_MS - MINUTE_MS),
    receivedAtMs: Float64Array.of(EXAMPLE_MS - MINUTE_MS + 400),
    sensorIds: ['bay-042'],
    values: columns.map(({ metric, type }) => {
      const value = kind?.example[metric]
      return type === 'number'
        ? Float64Array.of(Number(value ?? NaN))
        : [value === undefined ? null : String(value)]
    }),
  }
  const write = (encoder: Encoder): string => encoder.head() + encoder.page(page) + encoder.tail()
  return {
    csv: write(createCsvEncoder(columns)),
    jsonl: write(createJsonlEncoder(columns)),
    geojson: write(createGeojsonEncoder(columns, () => ({ position: null, zone: null }))),
  }
}
