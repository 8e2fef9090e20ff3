import type { Calendar, Clock, Kinds } from '@pulso/model'
import type { Rollups, RollupsRegistry } from '@pulso/stores'
import type { Logger } from 'pino'
import type { DueHours } from './due-hours.ts'
import type { RollupLimits } from './limits.ts'
import type { RollupMetrics } from './metrics.ts'
import type { Places } from './places.ts'
import type { Progress } from './progress.ts'
import type { Retention } from './retention.ts'

/** What rolling up goes by. */
export interface RollupContext {
  rollups: Rollups
  registry: RollupsRegistry
  kinds: Kinds
  calendar: Calendar
  places: Places
  progress: Progress
  dueHours: DueHours
  clock: Clock
  logger: Logger
  metrics: RollupMetrics
  limits: RollupLimits
  retention: Retention
}
