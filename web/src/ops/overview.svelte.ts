import type { OpsOverview } from '@pulso/model'
import type { OpsApi } from './ops-api.ts'
import { createPolled, type Polled } from './polled.svelte.ts'
import { append, EMPTY_SERIES, type Series } from './series.ts'
import { nextTrouble, type Trouble } from './trouble.ts'

const INTERVAL_MS = 2_000
/** Five minutes at one answer each 2 s. */
export const SERIES_LENGTH = 150
export const SERIES_MINUTES = (SERIES_LENGTH * INTERVAL_MS) / 60_000

export interface Overview {
  readonly answer: Polled<OpsOverview>
  /** The last minutes, as this page saw them. */
  readonly depth: Series
  readonly messages: Series
  readonly readings: Series
  /** What keeps readings from being stored; null while nothing does. */
  readonly trouble: Trouble | null
}

export function createOverview(
  api: OpsApi,
  options: { onUnauthorised: () => void; onTime: (serverTimeMs: number) => void },
): Overview {
  let depth = $state.raw(EMPTY_SERIES)
  let messages = $state.raw(EMPTY_SERIES)
  let readings = $state.raw(EMPTY_SERIES)
  let trouble = $state.raw<Trouble | null>(null)
  const keep = (overview: OpsOverview | null): void => {
    depth = append(depth, overview?.journal.depth ?? null, SERIES_LENGTH)
    messages = append(messages, overview?.ingest.messagesPerSecond ?? null, SERIES_LENGTH)
    readings = append(readings, overview?.ingest.readingsPerSecond ?? null, SERIES_LENGTH)
  }
  const answer = createPolled({
    ask: () => api.overview(),
    intervalMs: () => INTERVAL_MS,
    onUnauthorised: options.onUnauthorised,
    onAnswer(overview) {
      keep(overview)
      trouble = nextTrouble(trouble, overview, Date.now())
      options.onTime(Date.parse(overview.time))
    },
    onFailure: () => keep(null),
  })
  return {
    answer,
    get depth() {
      return depth
    },
    get messages() {
      return messages
    },
    get readings() {
      return readings
    },
    get trouble() {
      return trouble
    },
  }
}
