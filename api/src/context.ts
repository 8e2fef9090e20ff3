import type { CurrentState } from './current/current-state.ts'
import type { ApiLimits } from './limits.ts'
import type { LiveFeed } from './live/feed.ts'
import type { ApiMetrics } from './metrics.ts'
import type { Sessions } from './operators/sessions.ts'
import type { ApiOptions } from './options.ts'
import type { Forecasts } from './places/forecasts.ts'
import type { Places } from './places/places.ts'
import type { ReadyChecks } from './health.ts'
import type { Examples } from './routes/examples.ts'

/** What routes work with: built once, passed to each. */
export interface ApiContext {
  options: ApiOptions
  limits: ApiLimits
  current: CurrentState
  feed: LiveFeed
  metrics: ApiMetrics
  sessions: Sessions
  places: Places
  forecasts: Forecasts
  checks: ReadyChecks
  startedAtMs: number
  /** For the OpenAPI document. */
  examples: Examples
}
