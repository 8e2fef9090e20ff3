import type { Freshness, OpsSensor, OpsSensors } from '@pulso/model'
import type { OpsApi, SensorsQuestion } from './ops-api.ts'

/** More rows than this are not for reading: a search or a filter finds what is sought. */
export const MAX_ROWS = 5_000
/** The most that one answer may carry. */
const ANSWER_LIMIT = 1_000

export interface SensorFilters {
  kind: string | null
  freshness: Freshness | null
  /** A state's id; only together with a kind. */
  state: string | null
  search: string
}

export const NO_FILTERS: SensorFilters = { kind: null, freshness: null, state: null, search: '' }

/** The table's columns. `condition` is what is wrong first: offline, then stale, then fresh, the longest silent first. */
export type SortKey = 'condition' | 'id' | 'kind' | 'state' | 'time' | 'battery' | 'rssi' | 'quarantined'

export interface Sort {
  key: SortKey
  isDescending: boolean
}

export interface SensorList {
  time: string
  /** How many fit the filters; an estimate from the loaded ones when the box cannot count them (a state's). */
  total: number
  sensors: readonly OpsSensor[]
  hasMore: boolean
}

type Ask = Pick<OpsApi, 'sensors'>
/** In the order of worry. */
const WORST_FIRST: readonly Freshness[] = ['offline', 'stale', 'fresh']

/** Whether the box itself can order and filter like this; otherwise all rows (to the bound) are loaded and ordered here. */
export function isOrderedByBox(filters: SensorFilters, sort: Sort): boolean {
  if (filters.state !== null || sort.isDescending) return false
  return sort.key === 'condition' || sort.key === 'battery' || sort.key === 'id'
}

/**
 * The first `limit` rows under these filters in this order.
 * @param signal once aborted, no further page is asked for
 * @throws ApiError
 */
export async function askSensors(
  api: Ask,
  { filters, sort, limit }: { filters: SensorFilters; sort: Sort; limit: number },
  signal: AbortSignal,
): Promise<SensorList> {
  const search = filters.search.trim()
  const question = { kind: filters.kind ?? undefined, q: search === '' ? undefined : search }
  const isByBox = isOrderedByBox(filters, sort)
  const boxSort = sort.key === 'battery' || sort.key === 'id' ? sort.key : 'silent'
  const isWorstFirst = isByBox && sort.key === 'condition'
  const parts: readonly (Freshness | undefined)[] =
    filters.freshness === null && isWorstFirst ? WORST_FIRST : [filters.freshness ?? undefined]

  const wanted = isByBox ? limit : MAX_ROWS
  const list = { time: '', total: 0, hasMore: false }
  const sensors: OpsSensor[] = []
  for (const freshness of parts) {
    // A part behind the last wanted row is still asked for its count.
    const room = wanted - sensors.length
    const part = await askPages(
      api,
      { ...question, freshness, sort: boxSort, limit: Math.max(room, 1) },
      signal,
    )
    list.time = part.time
    list.total += part.total
    list.hasMore ||= part.next !== null || (room <= 0 && part.sensors.length > 0)
    if (room > 0) sensors.push(...part.sensors)
  }
  const rows = withoutRepeats(sensors)
  if (isByBox) return { ...list, sensors: rows }
  const kept = filters.state === null ? rows : rows.filter(({ state }) => state === filters.state)
  const total = filters.state === null ? list.total : kept.length
  return { ...list, total, sensors: kept.toSorted(toComparison(sort)) }
}

/** As many answers as it takes to have `limit` rows, or all there are. */
async function askPages(api: Ask, question: SensorsQuestion, signal: AbortSignal): Promise<OpsSensors> {
  signal.throwIfAborted()
  let answer = await api.sensors({ ...question, limit: Math.min(question.limit, ANSWER_LIMIT) })
  const sensors = [...answer.sensors]
  while (answer.next !== null && sensors.length < question.limit) {
    const limit = Math.min(question.limit - sensors.length, ANSWER_LIMIT)
    signal.throwIfAborted()
    answer = await api.sensors({ ...question, limit, cursor: answer.next })
    sensors.push(...answer.sensors)
  }
  return { ...answer, sensors }
}

/** A sensor that moved in the order between two answers comes in both; the list's keys must be unique. */
function withoutRepeats(sensors: readonly OpsSensor[]): OpsSensor[] {
  return [...new Map(sensors.map((sensor) => [sensor.id, sensor])).values()]
}

/** Rows without a value come last in either direction, equal ones in the order of their ids. */
function toComparison({ key, isDescending }: Sort): (one: OpsSensor, other: OpsSensor) => number {
  const sign = isDescending ? -1 : 1
  return (one, other) => {
    const [a, b] = [toValue(one, key), toValue(other, key)]
    if (a === b) return one.id < other.id ? -1 : 1
    if (a === null) return 1
    if (b === null) return -1
    return a < b ? -sign : sign
  }
}

function toValue(sensor: OpsSensor, key: SortKey): string | number | null {
  if (key === 'condition') {
    const heardMs = sensor.time === null ? 0 : Date.parse(sensor.time)
    // Times in ms stay below 1e14, so the freshness decides first.
    return WORST_FIRST.indexOf(sensor.freshness) * 1e14 + heardMs
  }
  if (key === 'battery') return sensor.batteryLevel
  return sensor[key]
}
