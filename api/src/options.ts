import type {
  City,
  Clock,
  ClockLimits,
  Kinds,
  OpsOverview,
  QuarantineReplay,
  QuarantineReplayed,
} from '@pulso/model'
import type { AggregatesQueries, ReadingsExports, ReadingsQueries, Registry } from '@pulso/stores'
import type { Logger } from 'pino'
import type { Registry as MetricsRegistry } from 'prom-client'
import type { ApiLimits } from './limits.ts'

export type HealthFacts = Record<string, number | boolean | null>

/** A dependency that `/health/ready` and the operators' overview ask after. */
export interface HealthCheck {
  name: string
  driver: string
  /** Rejects, with a sentence for operators, when the dependency does not answer. */
  check(): Promise<void>
  /** What `/health/ready` tells everybody about it, whether it is well or not. */
  facts?(): Promise<HealthFacts>
}

/** What the other parts know and operators see. */
export interface Operations {
  overview(): Promise<Pick<OpsOverview, 'journal' | 'ingest' | 'connections'>>
  /** One step: quarantined messages go into the journal again. @throws AppError `replay-held-back` (503, retryable) */
  replayQuarantine(selection: QuarantineReplay): Promise<QuarantineReplayed>
}

/** Where open data comes from. */
export interface OpenData extends ReadingsExports {
  /** Takes files that are made for a download; on the data folder's disk, and nobody else's. */
  folder: string
}

export interface ApiOptions {
  city: City
  kinds: Kinds
  clock: Clock
  logger: Logger
  host: string
  /** 0 for any free port. */
  port: number
  registry: Registry
  readings: ReadingsQueries
  /** The past in steps, which forecasts are learnt from, too. */
  aggregates: AggregatesQueries
  openData: OpenData
  /** How far a device's time may lie from ours, told to whoever asks for the city. */
  clockLimits: ClockLimits
  /** The API's own metrics go here. */
  metrics: MetricsRegistry
  /** The whole process' metrics in Prometheus' text format. */
  metricsText(): Promise<string>
  checks: readonly HealthCheck[]
  operations: Operations
  /** The built web app (`index.html`, `ops.html`, `assets/`), or null while there is none. */
  webFolder: string | null
  /** Addresses and networks of proxies whose `X-Forwarded-…` headers are believed; nobody's by default. */
  trustedProxies?: readonly string[]
  /** Cryptographically strong random bytes; Node's own by default. */
  randomBytes?: (size: number) => Buffer
  limits?: Partial<ApiLimits>
}
