import type { CityView, SensorFeature, ZoneAggregate } from '@pulso/model'
import type { Api } from '../shared/api.ts'
import type { Ticker } from '../shared/ticker.svelte.ts'
import { createListeners } from './listeners.ts'
import { createLiveConnection, type ConnectionStatus } from './live-connection.ts'
import {
  aggregateKey,
  applyDelta,
  applySnapshot,
  applyZones,
  EMPTY_STATE,
  type LiveState,
} from './live-state.ts'

/** A change of a kind's sensors: all of them anew, or those that changed. */
export interface SensorChange {
  kind: string
  isSnapshot: boolean
  sensors: readonly SensorFeature[]
}

export interface CityStore {
  readonly city: CityView | undefined
  /** Why the city did not load; undefined while it has not failed. */
  readonly error: unknown
  readonly live: LiveState
  readonly connection: ConnectionStatus
  /** Kinds whose sensors have arrived. */
  readonly arrived: readonly string[]
  aggregate(kind: string, zone: string | null): ZoneAggregate | undefined
  /** Loads the city and its sums; again after a failure. */
  load(): Promise<void>
  /** Follows a kind's sensors live. */
  follow(kind: string): void
  /** Hears every change of the sensors. @returns how to stop hearing */
  onChange(listener: (change: SensorChange) => void): () => void
  stop(): void
}

const LOAD_RETRY_MS = 5_000

/** What the page knows of the city, fed by the HTTP interface and the live feed. */
export function createCityStore({ api, ticker }: { api: Api; ticker: Ticker }): CityStore {
  let city = $state.raw<CityView | undefined>()
  let error = $state.raw<unknown>()
  let live = $state.raw<LiveState>(EMPTY_STATE)
  let connection = $state<ConnectionStatus>('connecting')
  let arrived = $state.raw<readonly string[]>([])
  let retry: ReturnType<typeof setTimeout> | undefined
  const changes = createListeners<SensorChange>()

  function take(next: LiveState, change: SensorChange): void {
    live = next
    if (next.timeMs !== undefined) ticker.sync(next.timeMs)
    changes.tell(change)
  }

  const feed = createLiveConnection({
    open: (address) => new EventSource(address),
    onSnapshot(event, kind) {
      take(applySnapshot(live, event, kind), { kind, isSnapshot: true, sensors: event.sensors })
      if (!arrived.includes(kind)) arrived = [...arrived, kind]
    },
    onDelta(event, kind) {
      const isNew = event.sensors.some(
        ({ id, geometry }) => !isSamePlace(live.sensors.get(id)?.geometry, geometry),
      )
      take(applyDelta(live, event), { kind, isSnapshot: isNew, sensors: event.sensors })
    },
    onStatus: (status) => (connection = status),
    schedule(action, delayMs) {
      const timer = setTimeout(action, delayMs)
      return () => clearTimeout(timer)
    },
    random: Math.random,
  })
  const retryFeed = (): void => {
    if (document.visibilityState === 'visible') feed.retryNow()
  }
  window.addEventListener('online', retryFeed)
  document.addEventListener('visibilitychange', retryFeed)

  return {
    get city() {
      return city
    },
    get error() {
      return error
    },
    get live() {
      return live
    },
    get connection() {
      return connection
    },
    get arrived() {
      return arrived
    },
    aggregate: (kind, zone) => live.aggregates.get(aggregateKey(kind, zone)),
    async load() {
      clearTimeout(retry)
      try {
        const [loaded, zones] = await Promise.all([api.city(), api.zones()])
        live = applyZones(live, zones)
        ticker.sync(Date.parse(zones.time))
        error = undefined
        city = loaded
      } catch (cause) {
        error = cause
        retry = setTimeout(() => void this.load(), LOAD_RETRY_MS)
      }
    },
    follow: (kind) => feed.follow(kind),
    onChange: (listener) => changes.add(listener),
    stop() {
      clearTimeout(retry)
      feed.stop()
      window.removeEventListener('online', retryFeed)
      document.removeEventListener('visibilitychange', retryFeed)
    },
  }
}

function isSamePlace(one: SensorFeature['geometry'] | undefined, other: SensorFeature['geometry']): boolean {
  if (!one || !other) return one === other
  return one.coordinates[0] === other.coordinates[0] && one.coordinates[1] === other.coordinates[1]
}
