import { createContext } from 'svelte'
import type { CityView, KindView, ZonesView } from '@pulso/model'
import type { Api } from '../shared/api.ts'
import type { I18n } from '../shared/i18n.svelte.ts'
import type { Ticker } from '../shared/ticker.svelte.ts'
import type { OpsApi } from './ops-api.ts'
import { createOverview, type Overview } from './overview.svelte.ts'
import { createPolled, type Polled } from './polled.svelte.ts'
import { createQuarantine, type Quarantine } from './quarantine.svelte.ts'
import { parseRoute, toHash, type Route } from './route.ts'
import { NO_FILTERS } from './sensor-list.ts'
import { createSensors, type Sensors } from './sensors.svelte.ts'
import type { Session } from './session.svelte.ts'
import type { OpsKey } from './texts.ts'

const CITY_INTERVAL_MS = 60_000
const FLEET_INTERVAL_MS = 5_000

/** What the operators' pages share: what the box says, and where the operator is. */
export interface Console {
  readonly api: Api
  readonly opsApi: OpsApi
  readonly session: Session
  readonly city: Polled<CityView>
  /** Counts by kind, state and freshness. */
  readonly fleet: Polled<ZonesView>
  readonly overview: Overview
  readonly sensors: Sensors
  readonly quarantine: Quarantine
  readonly route: Route
  /** The kinds of this city; empty until it has answered. */
  readonly kinds: readonly KindView[]
  kind(id: string): KindView | undefined
  zoneName(id: string): string
  go(route: Route): void
  start(): void
  stop(): void
}

export interface ConsoleOptions {
  api: Api
  opsApi: OpsApi
  session: Session
  ticker: Ticker
}

export function createConsole({ api, opsApi, session, ticker }: ConsoleOptions): Console {
  const onUnauthorised = (): void => session.end()
  const onTime = (serverTimeMs: number): void => ticker.sync(serverTimeMs)
  const city = createPolled({ ask: () => api.city(), intervalMs: () => CITY_INTERVAL_MS, onUnauthorised })
  const fleet = createPolled({ ask: () => api.zones(), intervalMs: () => FLEET_INTERVAL_MS, onUnauthorised })
  const overview = createOverview(opsApi, { onUnauthorised, onTime })
  const sensors = createSensors(opsApi, { onUnauthorised, onTime })
  const quarantine = createQuarantine(opsApi, onUnauthorised)
  const all = [city, fleet, overview.answer, sensors, quarantine]

  let route = $state.raw(parseRoute(location.hash))
  const follow = (): void => {
    route = parseRoute(location.hash)
    quarantine.sensor = route.place === 'quarantine' ? route.sensor : null
  }

  return {
    api,
    opsApi,
    session,
    city,
    fleet,
    overview,
    sensors,
    quarantine,
    get route() {
      return route
    },
    get kinds() {
      return city.value?.kinds ?? []
    },
    kind: (id) => city.value?.kinds.find((kind) => kind.id === id),
    zoneName: (id) => city.value?.zones.find((zone) => zone.id === id)?.name ?? id,
    go(wanted) {
      location.hash = toHash(wanted)
    },
    start() {
      window.addEventListener('hashchange', follow)
      follow()
      for (const one of all) one.start()
    },
    stop() {
      window.removeEventListener('hashchange', follow)
      for (const one of all) one.stop()
      sensors.filter(NO_FILTERS)
    },
  }
}

export const [getConsole, setConsole] = createContext<Console>()
export const [getTexts, setTexts] = createContext<I18n<OpsKey>>()
