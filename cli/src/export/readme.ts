import type { ExportManifest } from './manifest.ts'

/** `README.txt`: what somebody finds who opens the folder in ten years. */
export function describeExport({ city, pulso, until, period, files, notes }: ExportManifest): string {
  const width = Math.max(...files.map(({ name }) => name.length))
  return [
    `What ${city}'s sensors measured, and what is known of them.`,
    '',
    `Written by Pulso ${pulso}. It holds all that was stored before ${until}.`,
    period ? `The readings are from ${period.from} to ${period.to}.` : 'There are no readings in it.',
    '',
    ...files.map(({ name, rows, description }) => `  ${name.padEnd(width)}  ${description} (${rows})`),
    '',
    'manifest.json describes every column with its unit, and has a SHA-256 checksum of each file.',
    'Times are in UTC, as ISO 8601 says them: 2026-05-31T10:00:00.000Z. CSV files have a header and are in UTF-8; a text in',
    'them that begins with =, +, - or @ has an apostrophe in front, so that no spreadsheet takes it for a formula. A line of',
    'a .jsonl file is one JSON object. Parquet files open in DuckDB, pandas, R and many other tools.',
    '',
    ...notes.map((note) => `Note: ${note}`),
    ...(notes.length > 0 ? [''] : []),
  ].join('\n')
}
