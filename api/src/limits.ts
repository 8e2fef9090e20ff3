import { FORECAST_PACE } from './places/pace.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '@pulso/model'

/** Every bound of the HTTP interface, in one place. Tests bring shorter times. */
export const DEFAULT_LIMITS = {
  /** Changes are gathered this long before they go out. */
  liveTickMs: 250,
  liveClients: 10_000,
  /** Of those, from one address (IPv6: one /64); 0 for no limit. This machine's own are left out. */
  liveClientsPerAddress: 200,
  /** What all readers together may hold of what they have not taken; then the slowest is let go. */
  liveUnsentBytes: 256 * 1024 * 1024,
  /** A reader that takes nothing of what waits for it for this long is let go. */
  liveSlowMs: 30 * SECOND_MS,
  liveHeartbeatMs: 15 * SECOND_MS,
  /** What a browser waits before it comes back. */
  liveRetryMs: 2 * SECOND_MS,
  /** How often is looked whether the free places' next note is due. */
  placesSampleMs: MINUTE_MS,
  forecastPace: FORECAST_PACE,
  /** How often the registry is asked for new and moved sensors. */
  sensorsPollMs: SECOND_MS,
  requestsPerSecond: 300,
  bodyBytes: 16 * 1024,
  checkMs: 2 * SECOND_MS,
  loginsPerMinute: 5,
  /** From all addresses together: each costs a slow hash. */
  allLoginsPerMinute: 100,
  sessionMs: 12 * HOUR_MS,
  sessionSweepMs: 10 * MINUTE_MS,
  /** Downloads of open data at once: in all, and for one address. */
  exports: 6,
  exportsPerAddress: 3,
  /** The longest that a download may last: it holds a moment of the readings. */
  exportMs: 15 * MINUTE_MS,
  /** A reader that takes nothing for so long is let go. */
  exportStallMs: MINUTE_MS,
  /** No file is made for a download below this much free disk. */
  exportFreeBytes: 512 * 1024 * 1024,
}
export type ApiLimits = typeof DEFAULT_LIMITS
