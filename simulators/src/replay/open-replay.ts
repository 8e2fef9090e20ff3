import { readdir, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { AppError } from '@pulso/model'
import { AIR_COLUMNS, openAirMonth } from './air-month.ts'
import { readHeader } from './csv-records.ts'
import { DAY_FILE, LOTS_FILE, openParkingWeek } from './parking-week.ts'
import { toReplaySource, type Recording, type ReplayFormat, type ReplaySource } from './source.ts'

export interface OpenReplayOptions {
  /** A folder or a file. */
  path: string
  format?: ReplayFormat | 'auto'
  /** Put before every sensor id, for a gateway credential with a prefix. */
  idPrefix?: string
  /** Only sensors whose recorded name begins with this, as it stands in their id. */
  only?: string
}

const EXPECTED =
  `expected a folder with ${LOTS_FILE} and one file a day named like 2024-06-10.csv (or one such file), ` +
  `or a CSV file of hourly air quality with the columns ${AIR_COLUMNS.join(', ')}`

/**
 * Recognises a recording and reads it through once, for its sensors, times and mistakes.
 * @throws AppError `replay-not-found`, `replay-not-recognised`, `replay-columns`, `replay-unreadable`, `replay-empty`
 */
export async function openReplay({
  path,
  format = 'auto',
  idPrefix = '',
  only = '',
}: OpenReplayOptions): Promise<ReplaySource> {
  const source = await toReplaySource(await recognise(path, format, idPrefix), `${idPrefix}${only}`)
  if (source.rowCount === 0) {
    const examples = source.malformed.examples.map((example) => `\n  ${example}`).join('')
    const whose = only === '' ? '' : ` of sensors whose name begins with '${only}'`
    throw new AppError('replay-empty', `${path} holds no value${whose} that could be replayed${examples}`, {
      details: source.malformed.examples,
    })
  }
  return source
}

async function recognise(path: string, format: ReplayFormat | 'auto', idPrefix: string): Promise<Recording> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new AppError('replay-not-found', `There is no ${path}: ${EXPECTED}`, { cause })
  })
  const [folder, files] = found.isDirectory()
    ? [path, await readdir(path)]
    : [dirname(path), [basename(path)]]
  const days = files.filter((file) => DAY_FILE.test(file)).sort()

  if (format === 'parking-week' || (format === 'auto' && days.length > 0)) {
    if (days.length === 0) throw notRecognised(path, 'there is no file named like 2024-06-10.csv')
    if (!(await readdir(folder)).includes(LOTS_FILE)) throw notRecognised(path, `${LOTS_FILE} is missing`)
    return openParkingWeek({ folder, days, idPrefix })
  }
  if (found.isDirectory()) throw notRecognised(path, 'there is no file named like 2024-06-10.csv')
  const header = await readHeader(path)
  // A table that has most of the columns is one of these that lost some: it deserves to hear which.
  const matching = AIR_COLUMNS.filter((column) => header?.includes(column))
  if (format === 'air-month' || matching.length > AIR_COLUMNS.length / 2)
    return openAirMonth({ path, idPrefix })
  throw notRecognised(path, header ? `its first line is '${header.join(',').slice(0, 120)}'` : 'it is empty')
}

function notRecognised(path: string, reason: string): AppError {
  return new AppError(
    'replay-not-recognised',
    `${path} is no recording that can be replayed, ${reason}: ${EXPECTED}`,
  )
}
