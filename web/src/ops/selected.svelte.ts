import type { OpsSensor, QuarantineView, SensorDetail } from '@pulso/model'
import type { Console } from './console.svelte.ts'
import { createPolled, type Polled } from './polled.svelte.ts'

const INTERVAL_MS = 5_000
/** A glance; the quarantine's own place has them all. */
const KEPT_SHOWN = 3
/** Ids may be each other's beginnings, so the search brings a few. */
const SEARCH_LIMIT = 50

export interface SelectedAnswer {
  detail: SensorDetail
  /** What only operators see; undefined when the search did not bring it. */
  ops: OpsSensor | undefined
}

export interface Selected {
  readonly answer: Polled<SelectedAnswer>
  readonly kept: readonly QuarantineView[]
}

/** Everything about one sensor, asked for again and again while its pane is open. */
export function createSelected({ api, opsApi, session }: Console, id: string): Selected {
  let kept = $state.raw<readonly QuarantineView[]>([])
  const answer = createPolled({
    async ask() {
      const [detail, found, page] = await Promise.all([
        api.sensor(id),
        opsApi.sensors({ q: id, sort: 'id', limit: SEARCH_LIMIT }),
        opsApi.quarantine({ sensor: id, limit: KEPT_SHOWN }),
      ])
      kept = page.entries
      return { detail, ops: found.sensors.find((sensor) => sensor.id === id) }
    },
    intervalMs: () => INTERVAL_MS,
    onUnauthorised: () => session.end(),
  })
  return {
    answer,
    get kept() {
      return kept
    },
  }
}
