import type { Clock } from '@pulso/model'
import type { JournalWriter } from '@pulso/stores'
import type { Logger } from 'pino'
import type { SourceLimits } from './limits.ts'
import type { SourceMetrics } from './metrics.ts'

export type Qos = 0 | 1 | 2

/** A broker that the city already runs, and what is to be taken from it. */
export interface SourceSettings {
  /** Journaled with each message as `source/{name}`, the `source` of the metrics, and the name of its files. */
  name: string
  /** `mqtt://host:port` or `mqtts://host:port` */
  url: string
  username: string | null
  password: string | null
  /** The broker's name for our session. Two sources with the same one would throw each other out. */
  clientId: string
  /** Topic filters. */
  topics: readonly string[]
  /** What is asked for; the broker delivers each message with the lower of this and what it was published with. */
  qos: Qos
  /** PEM. Without `ca` the system's own authorities count. */
  tls: { ca: string | null; cert: string | null; key: string | null }
}

export interface MqttSourceOptions extends SourceSettings {
  /** Where the source remembers what it may have to recognise after a restart; made when missing. */
  folder: string
  journal: JournalWriter
  clock: Clock
  logger: Logger
  metrics: SourceMetrics
  /** 0 ≤ x < 1 */
  random?: () => number
  /** What differs from `DEFAULT_SOURCE_LIMITS`. */
  limits?: Partial<SourceLimits>
}

export interface SourceStatus {
  name: string
  /** Without user and password. */
  url: string
  /** `waiting`: the last attempt failed and the next one is to come. */
  state: 'stopped' | 'connecting' | 'connected' | 'waiting'
  /** What is wrong: why it is not connected, or which topics the broker refuses. */
  problem: { code: string; message: string } | null
  /** Since when it is connected; null while it is not. */
  connectedAtMs: number | null
  /** Kept since the start of this process. */
  messages: number
  /** Handed to the journal and not yet kept. */
  inFlight: number
  topics: TopicStatus[]
}

export interface TopicStatus {
  topic: string
  /** `asked`: the broker has not answered yet. */
  state: 'asked' | 'granted' | 'refused'
  /** What the broker granted. At 0 nothing is sent again: what is lost on the way stays lost. */
  qos: Qos | null
}
