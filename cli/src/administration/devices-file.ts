import { readFile, stat } from 'node:fs/promises'
import { AppError, messageOf } from '@pulso/model'
import { readCsv } from '@pulso/simulators'
import type { DeviceToAdd } from './device.ts'
import type { ImportRow } from './devices.ts'

export interface DevicesFile {
  rows: ImportRow[]
  /** Each with its place: `devices.csv:12`. Rows with mistakes are left out of `rows`. */
  mistakes: string[]
}

const COLUMNS = [
  'id',
  'kind',
  'name',
  'lat',
  'lon',
  'gateway',
  'devEui',
  'codec',
  'access',
  'secret',
  'token',
] as const
type Column = (typeof COLUMNS)[number]
type Cells = Partial<Record<Column, string>>

const ACCESS = ['password', 'token', 'certificate', 'none'] as const
const MAX_ROWS = 1_000_000
const MAX_JSON_BYTES = 256 * 1024 * 1024

/**
 * Devices from a CSV file with a header, or from a JSON array of objects (`.json`), with the columns that `COLUMNS`
 * names. An empty cell says nothing.
 * @throws AppError `import-unreadable`
 */
export async function readDevicesFile(path: string): Promise<DevicesFile> {
  const mistakes: string[] = []
  const places = new Map<string, string>()
  const rows: ImportRow[] = []
  const entries = path.toLowerCase().endsWith('.json') ? readJson(path, mistakes) : readTable(path, mistakes)
  for await (const { cells, place } of entries) {
    if (rows.length >= MAX_ROWS) throw unreadable(`${path} has more than ${MAX_ROWS} rows: cut it up`)
    const { device, wrong } = toDevice(cells)
    const all = [...wrong, ...noteUnique(places, place, cells)]
    mistakes.push(...all.map((mistake) => `${place}: ${mistake}`))
    if (all.length === 0) rows.push({ place, device })
  }
  if (rows.length === 0 && mistakes.length === 0) mistakes.push(`${path}: there are no devices in it`)
  return { rows, mistakes }
}

interface Entry {
  cells: Cells
  place: string
}

async function* readTable(path: string, mistakes: string[]): AsyncGenerator<Entry> {
  let header: readonly string[] | undefined
  try {
    for await (const { cells, place } of readCsv(path, (mistake) => mistakes.push(mistake))) {
      if (!header) {
        header = cells.map((name) => name.trim())
        const unknown = checkColumns(header)
        if (unknown.length > 0) {
          mistakes.push(...unknown.map((mistake) => `${place}: ${mistake}`))
          return
        }
        continue
      }
      const filled = header.map((name, index) => [name, (cells[index] ?? '').trim()] as const)
      yield { cells: Object.fromEntries(filled.filter(([, cell]) => cell !== '')), place }
    }
  } catch (cause) {
    throw unreadable(messageOf(cause), cause)
  }
}

async function* readJson(path: string, mistakes: string[]): AsyncGenerator<Entry> {
  let entries: unknown
  try {
    if ((await stat(path)).size > MAX_JSON_BYTES) throw new Error('it has more than 256 MiB: cut it up')
    entries = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw unreadable(`${path} cannot be read: ${messageOf(cause)}`, cause)
  }
  if (!Array.isArray(entries)) throw unreadable(`${path} is not a JSON array of devices`)
  for (const [index, entry] of (entries as unknown[]).entries()) {
    const place = `entry ${index + 1}`
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
      mistakes.push(`${place}: not an object`)
      continue
    }
    const filled = Object.entries(entry as Record<string, unknown>).filter(
      ([, value]) => value !== null && value !== '',
    )
    const wrong = [
      ...checkColumns(Object.keys(entry), { isComplete: true }),
      ...filled
        .filter(([, value]) => typeof value !== 'string' && typeof value !== 'number')
        .map(([name]) => `'${name}' is neither text nor a number`),
    ]
    if (wrong.length > 0) mistakes.push(...wrong.map((mistake) => `${place}: ${mistake}`))
    else yield { cells: Object.fromEntries(filled.map(([name, value]) => [name, String(value)])), place }
  }
}

function checkColumns(names: readonly string[], { isComplete = false } = {}): string[] {
  const known: ReadonlySet<string> = new Set(COLUMNS)
  const mistakes = names
    .filter((name) => !known.has(name))
    .map((name) => `unknown column '${name.slice(0, 40)}'; there are ${COLUMNS.join(', ')}`)
  if (!isComplete && !names.includes('id')) mistakes.push("the column 'id' is missing")
  return mistakes
}

/** What a row says, as far as it can be understood; whether it may be so is the administration's to check. */
function toDevice(cells: Cells): { device: DeviceToAdd; wrong: string[] } {
  const { id = '', kind, name, gateway, devEui, codec, secret, token } = cells
  const wrong: string[] = []
  if (id === '') wrong.push('the id is missing')
  const access = ACCESS.find((known) => known === cells.access)
  if (cells.access !== undefined && !access) {
    wrong.push(`the access is one of ${ACCESS.join(', ')}, not '${cells.access.slice(0, 40)}'`)
  }
  if (secret !== undefined && token !== undefined) wrong.push('it has a secret and a token: only one can be')
  if (token !== undefined && access !== undefined && access !== 'token') {
    wrong.push(`a token is given, and the access is '${access}'`)
  }
  const [lat, lon] = [toNumber('lat', cells.lat, wrong), toNumber('lon', cells.lon, wrong)]
  if ((cells.lat === undefined) !== (cells.lon === undefined)) wrong.push('lat and lon go together')
  const given = token ?? secret
  const chosen = token === undefined ? access : 'token'
  const device: DeviceToAdd = {
    id,
    ...(kind !== undefined && { kind }),
    ...(name !== undefined && { name }),
    ...(lat !== undefined && lon !== undefined && { position: { lat, lon } }),
    ...(gateway !== undefined && { gatewayPrefix: gateway }),
    ...(devEui !== undefined && { devEui }),
    ...(codec !== undefined && { codec }),
    ...(chosen && { access: chosen }),
    ...(given !== undefined && { secret: given }),
  }
  return { device, wrong }
}

function toNumber(column: Column, cell: string | undefined, wrong: string[]): number | undefined {
  if (cell === undefined) return undefined
  const value = Number(cell)
  if (Number.isFinite(value)) return value
  wrong.push(`${column} is '${cell.slice(0, 40)}': write degrees like 43.4623`)
  return undefined
}

/** Ids, DevEUIs and tokens each name one device: a second row with the same is a mistake. */
function noteUnique(places: Map<string, string>, place: string, cells: Cells): string[] {
  const { id, devEui, token } = cells
  const secret = cells.access === 'token' ? cells.secret : undefined
  const keys: [string, string | undefined][] = [
    ['id', id],
    ['DevEUI', devEui?.replaceAll(/[\s:-]/g, '').toUpperCase()],
    ['token', token ?? secret],
  ]
  return keys.flatMap(([what, value]) => {
    if (value === undefined) return []
    const key = `${what} ${value}`
    const first = places.get(key)
    if (first === undefined) places.set(key, place)
    return first === undefined ? [] : `its ${what} is that of ${first}`
  })
}

function unreadable(message: string, cause?: unknown): AppError {
  return new AppError('import-unreadable', message, { status: 400, cause })
}
