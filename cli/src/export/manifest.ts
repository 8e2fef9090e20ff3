/** What `manifest.json` says of the files beside it. */
export interface ExportManifest {
  format: 1
  /** The Pulso that made it. */
  pulso: string
  city: string
  createdAt: string
  /** Everything that was stored before this moment is in the export. */
  until: string
  /** Messages that were acknowledged and not yet stored: they are not in it. */
  waiting: number
  /** Times of the first and the last reading; `null` without any. */
  period: { from: string; to: string } | null
  files: ExportedFile[]
  /** What is not in it, in words. */
  notes: string[]
}

export interface ExportedFile {
  name: string
  description: string
  /** Lines without the header, features, or entries. */
  rows: number
  bytes: number
  sha256: string
  /** Of tables. */
  columns?: ExportedColumn[]
}

export interface ExportedColumn {
  name: string
  type: 'time' | 'text' | 'number'
  description: string
  /** UCUM. */
  unit?: string
}
