import { HOUR_MS, MINUTE_MS, SECOND_MS } from '@pulso/model'

/** Every bound of the HTTP interface, in one place. Tests bring shorter times. */
export const DEFAULT_LIMITS = {
  /** Changes are gathered this long before they go out. */
  liveTickMs: 250,
  liveClients: 1_000,
  /** Unsent bytes of one reader from which on its changes are gathered instead of queued. */
  liveBufferBytes: 1024 * 1024,
  /** A reader that stays above that this long, and does not take at least as much meanwhile, is let go. */
  liveSlowMs: 30 * SECOND_MS,
  liveHeartbeatMs: 15 * SECOND_MS,
  /** What a browser waits before it comes back. */
  liveRetryMs: 2 * SECOND_MS,
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
}
export type ApiLimits = typeof DEFAULT_LIMITS
