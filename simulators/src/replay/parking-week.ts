import { join } from 'node:path'
import { AppError, clip, DAY_MS, parseTime, type Position } from '@pulso/model'
import carpark from '@pulso/model/kinds/carpark'
import { findColumns, readCsv, toPosition } from './csv-records.ts'
import { toSensorId, type RecordedRow, type Recording, type TimeRange } from './source.ts'

export const DAY_FILE = /^20\d{2}-\d{2}-\d{2}\.csv$/
export const LOTS_FILE = 'lots_with_coordinates.csv'

const TIME_COLUMN = 'timestamp'
const LOT_COLUMNS = ['place_id', 'place_name', 'city', 'capacity', 'lat', 'lon'] as const

interface Lot {
  name: string
  city: string
  capacity: number | undefined
  position: Position | null
}

export interface ParkingWeekOptions {
  folder: string
  /** Names of the day files, in order. */
  days: readonly string[]
  idPrefix: string
}

/**
 * Car parks of many cities: one wide table a day, a column per car park and a row per round of collecting, times in UTC.
 * A blank cell says that the number had not changed or was not recorded, so it says nothing and nothing is sent. Numbers go
 * out as they stand, also those below zero and above the capacity.
 * @throws AppError `replay-columns`, `replay-unreadable`
 */
export async function openParkingWeek({ folder, days, idPrefix }: ParkingWeekOptions): Promise<Recording> {
  const lotMistakes: string[] = []
  const lots = await readLots(join(folder, LOTS_FILE), (mistake) => lotMistakes.push(mistake))
  const columnOf = new Map<string, string>()

  return {
    format: 'parking-week',
    async *read(report, range) {
      lotMistakes.forEach(report)
      for (const day of days) {
        if (mayHold(day, range)) yield* readDay(join(folder, day), report)
      }
    },
    sensorsOf: (sensorIds) =>
      [...sensorIds].sort().map((id) => {
        const lot = lots.get(columnOf.get(id) ?? '')
        return {
          id,
          kind: carpark.id,
          name: lot?.name ?? null,
          position: lot?.position ?? null,
          attributes: {
            ...(lot?.capacity === undefined ? {} : { totalSpotNumber: lot.capacity }),
            ...(lot?.city ? { city: lot.city } : {}),
          },
        }
      }),
  }

  async function* readDay(path: string, report: (mistake: string) => void): AsyncGenerator<RecordedRow> {
    let columns: (readonly [index: number, sensorId: string, capacity: number | undefined])[] | undefined
    for await (const { cells, place } of readCsv(path, report)) {
      if (!columns) {
        columns = toColumns(path, cells)
        continue
      }
      const timeMs = parseTime(cells[0])
      if (timeMs === undefined) {
        report(`${place}: '${clip(cells[0] ?? '')}' is not a time`)
        continue
      }
      for (const [index, sensorId, capacity] of columns) {
        const cell = cells[index] ?? ''
        if (cell === '') continue
        const free = Number(cell)
        if (!Number.isFinite(free)) report(`${place}: '${clip(cell)}' of ${sensorId} is not a number`)
        else {
          const total = capacity === undefined ? {} : { totalSpotNumber: capacity }
          yield { timeMs, sensorId, values: { availableSpotNumber: free, ...total } }
        }
      }
    }
    if (!columns)
      throw new AppError('replay-columns', `${path} is empty: it should begin with '${TIME_COLUMN},…'`)
  }

  function toColumns(path: string, header: readonly string[]) {
    findColumns(path, header.slice(0, 1), [TIME_COLUMN])
    return header.slice(1).map((column, index) => {
      const id = toSensorId(idPrefix, column)
      columnOf.set(id, column)
      return [index + 1, id, lots.get(column)?.capacity] as const
    })
  }
}

/** A day file holds the day of its name, give or take some hours. */
function mayHold(day: string, { fromMs = -Infinity, toMs = Infinity }: TimeRange = {}): boolean {
  const startMs = Date.parse(day.slice(0, '2024-06-10'.length))
  return startMs + 2 * DAY_MS > fromMs && startMs - DAY_MS < toMs
}

async function readLots(path: string, report: (mistake: string) => void): Promise<Map<string, Lot>> {
  const lots = new Map<string, Lot>()
  let columns: Record<(typeof LOT_COLUMNS)[number], number> | undefined
  for await (const { cells, place } of readCsv(path, report)) {
    if (!columns) {
      columns = findColumns(path, cells, LOT_COLUMNS)
      continue
    }
    const at = (name: (typeof LOT_COLUMNS)[number]): string => cells[columns?.[name] ?? -1] ?? ''
    const capacity = toCapacity(at('capacity'))
    if (at('capacity') !== '' && capacity === undefined)
      report(`${place}: '${clip(at('capacity'))}' is no capacity`)
    const position = toPosition(at('lat'), at('lon'))
    if (!position) report(`${place}: '${clip(at('lat'))}', '${clip(at('lon'))}' is no position`)
    lots.set(at('place_id'), { name: at('place_name'), city: at('city'), capacity, position })
  }
  return lots
}

function toCapacity(cell: string): number | undefined {
  const capacity = Number(cell)
  return cell !== '' && Number.isInteger(capacity) && capacity >= 0 ? capacity : undefined
}
