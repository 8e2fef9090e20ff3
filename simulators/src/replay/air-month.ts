import { clip, DAY_MS, HOUR_MS, SECOND_MS, type Position } from '@pulso/model'
import environment from '@pulso/model/kinds/environment'
import { createLocalTime, type LocalTime } from '../local-time.ts'
import { findColumns, readCsv, toPosition } from './csv-records.ts'
import { toSensorId, type RecordedRow, type Recording } from './source.ts'

export const AIR_COLUMNS = [
  'Station',
  'Longitude',
  'Latitude',
  'O3Hour',
  'O3Value',
  'NO2Hour',
  'NO2Value',
  'PM10Hour',
  'PM10Value',
  'DateTime',
] as const
type AirColumn = (typeof AIR_COLUMNS)[number]

const POLLUTANTS = [
  ['o3', 'O3Hour', 'O3Value'],
  ['no2', 'NO2Hour', 'NO2Value'],
  ['pm10', 'PM10Hour', 'PM10Value'],
] as const

/** The table is Barcelona's: its hours are read off the wall there. */
const TIME_ZONE = 'Europe/Madrid'
/** How the network classifies its stations (the table does not say). Stations not listed stay without `areaType`. */
const AREA_TYPES: Readonly<Record<string, string>> = {
  'Barcelona - Eixample': 'traffic',
  'Barcelona - Gràcia': 'traffic',
  'Barcelona - Ciutadella': 'background',
  'Barcelona - Observ Fabra': 'background',
  'Barcelona - Palau Reial': 'background',
  'Barcelona - Poblenou': 'background',
  'Barcelona - Sants': 'background',
  'Barcelona - Vall Hebron': 'background',
}
/** Values come up to three hours late; after this long an hour is complete and goes out. */
const COMPLETE_AFTER_MS = 6 * HOUR_MS
const NOT_AVAILABLE = 'NA'

export interface AirMonthOptions {
  path: string
  idPrefix: string
}

/**
 * Hourly air quality of Barcelona's stations, in µg/m³, as a page showed it that was fetched every hour.
 *
 * Which hour was measured: `DateTime` (epoch seconds) is when the page was fetched, `Generated` when it was made; a value's
 * own hour, local time, stands in its `…Hour` column and lags one to three hours behind, for each pollutant on its own. So
 * the hour column decides, and the fetch time says of which day. But an hour that had not ended when the page was fetched
 * cannot have been measured: just after midnight the page says `0h` for the hour from 23 to 24, and PM10 is often labelled by
 * its end. Such a value belongs to the hour before. By this rule November 2018 gives 12,841 hourly values of which one
 * contradicts itself; by the labels alone it gives 12,487, and 176 do.
 *
 * Oddities: `NA` is no value; one day gives latitudes without their point (413788); pages that were fetched twice.
 */
export function openAirMonth({ path, idPrefix }: AirMonthOptions): Recording {
  const localTime = createLocalTime(TIME_ZONE)
  const stations = new Map<string, { name: string; position: Position | null }>()

  return {
    format: 'air-month',
    sensorsOf: (sensorIds) =>
      [...sensorIds].sort().map((id) => {
        const station = stations.get(id)
        const areaType = station && AREA_TYPES[station.name]
        return {
          id,
          kind: environment.id,
          name: station?.name ?? null,
          position: station?.position ?? null,
          attributes: { intervalMs: HOUR_MS, ...(areaType ? { areaType } : {}) },
        }
      }),
    async *read(report) {
      const open = new Map<string, OpenHour>()
      let columns: Record<AirColumn, number> | undefined
      for await (const { cells, place } of readCsv(path, report)) {
        if (!columns) {
          columns = findColumns(path, cells, AIR_COLUMNS)
          continue
        }
        const at = (column: AirColumn): string => cells[columns?.[column] ?? -1] ?? ''
        const fetchedMs = Number(at('DateTime')) * SECOND_MS
        if (!(fetchedMs > 0) || at('Station') === '') {
          report(`${place}: '${clip(at('DateTime'))}' is not a time, or the station has no name`)
          continue
        }
        yield* takeComplete(open, fetchedMs - COMPLETE_AFTER_MS)
        const sensorId = toSensorId(idPrefix, at('Station'))
        keepStation(sensorId, at)
        for (const [metric, hourColumn, valueColumn] of POLLUTANTS) {
          if (at(hourColumn) === NOT_AVAILABLE || at(valueColumn) === NOT_AVAILABLE) continue
          const timeMs = toMeasuredMs(at(hourColumn), fetchedMs, localTime)
          const value = Number(at(valueColumn))
          if (timeMs === undefined || at(valueColumn) === '' || !Number.isFinite(value)) {
            report(`${place}: '${clip(at(valueColumn))}' at '${clip(at(hourColumn))}' is no ${metric}`)
          } else addValue(open, { sensorId, timeMs, metric, value })
        }
      }
      yield* takeComplete(open, Infinity)
    },
  }

  /** The first position that can be one is right: the table has a day whose latitudes lost their point. */
  function keepStation(sensorId: string, at: (column: AirColumn) => string): void {
    const known = stations.get(sensorId)
    if (known?.position) return
    stations.set(sensorId, { name: at('Station'), position: toPosition(at('Latitude'), at('Longitude')) })
  }
}

interface OpenHour {
  timeMs: number
  sensorId: string
  values: Record<string, number>
}

/** Of two values for one hour the later published one counts. */
function addValue(
  open: Map<string, OpenHour>,
  { sensorId, timeMs, metric, value }: { sensorId: string; timeMs: number; metric: string; value: number },
): void {
  const key = `${timeMs} ${sensorId}`
  const hour = open.get(key) ?? { timeMs, sensorId, values: {} }
  hour.values[metric] = value
  open.set(key, hour)
}

/** The hours up to `untilMs`, in the order of time: what is held back is a few hours of a few stations. */
function* takeComplete(open: Map<string, OpenHour>, untilMs: number): Generator<RecordedRow> {
  const complete = [...open].filter(([, { timeMs }]) => timeMs <= untilMs)
  complete.sort(([, a], [, b]) => a.timeMs - b.timeMs || (a.sensorId < b.sensorId ? -1 : 1))
  for (const [key, { timeMs, sensorId, values }] of complete) {
    open.delete(key)
    yield { timeMs, sensorId, values }
  }
}

/** The beginning of the measured hour, for a label such as `21h` on a page fetched at `fetchedMs`. */
function toMeasuredMs(label: string, fetchedMs: number, localTime: LocalTime): number | undefined {
  const hour = /^(\d{1,2})h$/.exec(label)?.[1]
  if (hour === undefined || Number(hour) > 24) return undefined
  const startMs = (dayMs: number): number => localTime.startOfDayMs(dayMs) + Number(hour) * HOUR_MS
  let timeMs = startMs(fetchedMs)
  if (timeMs > fetchedMs) timeMs = startMs(fetchedMs - DAY_MS)
  // Twice a year a day has an hour more or less between midnight and the label.
  const driftHours = Math.round(localTime.at(timeMs).hour) - (Number(hour) % 24)
  if (Math.abs(driftHours) === 1) timeMs -= driftHours * HOUR_MS
  return timeMs + HOUR_MS > fetchedMs ? timeMs - HOUR_MS : timeMs
}
