import type { OpsSensor } from '@pulso/model'
import type { OpsApi } from './ops-api.ts'
import { createPolled, type Polled } from './polled.svelte.ts'
import {
  askSensors,
  isOrderedByBox,
  MAX_ROWS,
  NO_FILTERS,
  type SensorFilters,
  type Sort,
  type SortKey,
} from './sensor-list.ts'

export const PAGE_SIZE = 200
const INTERVAL_MS = 5_000
/** A long list is asked for less often: it is read, not watched. */
const LONG_ROWS = 1_000
const LONG_INTERVAL_MS = 15_000

export interface Sensors extends Pick<Polled<unknown>, 'error' | 'start' | 'stop' | 'now'> {
  readonly rows: readonly OpsSensor[]
  /** How many fit the filters; null before the first answer. */
  readonly total: number | null
  readonly hasMore: boolean
  /** No more will be loaded, though there is more. */
  readonly isFull: boolean
  /** The rows are those of an earlier question: an answer is under way. */
  readonly isStale: boolean
  readonly filters: SensorFilters
  readonly sort: Sort
  filter(change: Partial<SensorFilters>): void
  /** The same column again turns the order round. */
  sortBy(key: SortKey): void
  loadMore(): void
}

/** The list of sensors under its filters, what is wrong first, asked for again and again as far as it is loaded. */
export function createSensors(
  api: OpsApi,
  options: { onUnauthorised: () => void; onTime: (serverTimeMs: number) => void },
): Sensors {
  let filters = $state.raw(NO_FILTERS)
  let sort = $state.raw<Sort>({ key: 'condition', isDescending: false })
  let limit = PAGE_SIZE
  let isStale = $state(true)

  const polled = createPolled({
    ask: (signal) => askSensors(api, { filters, sort, limit }, signal),
    intervalMs: () => (rows().length > LONG_ROWS ? LONG_INTERVAL_MS : INTERVAL_MS),
    onUnauthorised: options.onUnauthorised,
    onAnswer(answer) {
      isStale = false
      options.onTime(Date.parse(answer.time))
    },
  })
  const rows = (): readonly OpsSensor[] => polled.value?.sensors ?? []
  const ask = (wanted: number): void => {
    limit = Math.min(wanted, MAX_ROWS)
    isStale = true
    polled.now()
  }

  return {
    get rows() {
      return rows()
    },
    get total() {
      return polled.value?.total ?? null
    },
    get hasMore() {
      return polled.value?.hasMore ?? false
    },
    get isFull() {
      return this.hasMore && (rows().length >= MAX_ROWS || !isOrderedByBox(filters, sort))
    },
    get isStale() {
      return isStale
    },
    get filters() {
      return filters
    },
    get sort() {
      return sort
    },
    get error() {
      return polled.error
    },
    filter(change) {
      filters = { ...filters, ...change }
      ask(PAGE_SIZE)
    },
    sortBy(key) {
      sort = { key, isDescending: sort.key === key && !sort.isDescending }
      ask(PAGE_SIZE)
    },
    loadMore: () => ask(limit + PAGE_SIZE),
    start: () => polled.start(),
    stop: () => polled.stop(),
    now: () => polled.now(),
  }
}
