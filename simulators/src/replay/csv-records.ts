import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { AppError, messageOf, type Position } from '@pulso/model'
import { parse, type CsvError, type InfoRecord } from 'csv-parse'

export interface CsvRecord {
  cells: readonly string[]
  /** `file.csv:12`, for messages. */
  place: string
}

/** A line longer than this is no line of a table. */
const MAX_RECORD_BYTES = 1_048_576

/**
 * The records of a CSV file, the header first, one at a time. Broken quotes are reported and passed over, as are records
 * with more or fewer cells than the header.
 * @throws AppError `replay-unreadable` when the file cannot be read
 */
export async function* readCsv(path: string, report: (mistake: string) => void): AsyncGenerator<CsvRecord> {
  const file = basename(path)
  const stream = createReadStream(path)
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: MAX_RECORD_BYTES,
    on_skip: (error?: CsvError) => {
      report(`${file}: ${error?.message ?? 'not a CSV record'}`)
    },
  })
  stream.on('error', (error) => parser.destroy(error))
  let width: number | undefined
  try {
    for await (const entry of stream.pipe(parser)) {
      // With `info` the parser gives pairs of record and position, which its types don't say.
      const { record, info } = entry as { record: string[]; info: InfoRecord }
      const place = `${file}:${info.lines}`
      width ??= record.length
      if (record.length === width) yield { cells: record, place }
      else report(`${place}: ${record.length} cells, the header has ${width}`)
    }
  } catch (cause) {
    throw new AppError('replay-unreadable', `${path} cannot be read: ${messageOf(cause)}`, { cause })
  } finally {
    stream.destroy()
  }
}

/** The first record of a file, or undefined for an empty one. */
export async function readHeader(path: string): Promise<readonly string[] | undefined> {
  for await (const { cells } of readCsv(path, () => undefined)) return cells
  return undefined
}

/**
 * Where the columns are.
 * @throws AppError `replay-columns` naming all that are missing
 */
export function findColumns<Name extends string>(
  path: string,
  header: readonly string[],
  names: readonly Name[],
): Record<Name, number> {
  const missing = names.filter((name) => !header.includes(name))
  if (missing.length > 0) {
    throw new AppError(
      'replay-columns',
      `${path} lacks the columns ${missing.join(', ')}; it has ${header.slice(0, 12).join(', ')}` +
        (header.length > 12 ? ' …' : ''),
      { details: missing },
    )
  }
  return Object.fromEntries(names.map((name) => [name, header.indexOf(name)])) as Record<Name, number>
}

/** Degrees of WGS 84, or null for anything else. */
export function toPosition(latCell: string, lonCell: string): Position | null {
  const [lat, lon] = [Number(latCell), Number(lonCell)]
  const isRight = latCell !== '' && lonCell !== '' && Math.abs(lat) <= 90 && Math.abs(lon) <= 180
  return isRight ? { lat, lon } : null
}
