import type { Clock, ClockLimits } from '@pulso/model'
import type { Logger } from 'pino'
import type { Segment } from './segments.ts'
import type { ReplaySource, TimeRange } from './source.ts'

export interface ReplayOptions extends TimeRange {
  source: ReplaySource
  /** How many times faster than it was recorded, or as fast as the broker acknowledges. */
  speed: number | 'max'
  clock: Clock
  logger: Logger
  mqttUrl: string
  /** A credential that may publish for all of the source's sensors. */
  username: string
  password: string
  /** Send the recorded times as they are, instead of shifting them by whole weeks to now. */
  keepTime?: boolean
  /** Having come to now, go on in real time with what was recorded next, until stopped. */
  follow?: boolean
  clockLimits?: ClockLimits
  /** Called about once a second. */
  onProgress?: (progress: ReplayProgress) => void
}

export interface ReplayProgress {
  /** Rows read, of how many in the whole recording. */
  rows: number
  rowCount: number
  /** Messages acknowledged. */
  messages: number
  /** Recorded time that the replay has come to. */
  recordedMs: number
}

export interface ReplaySummary {
  /** False when it was stopped before its end. */
  finished: boolean
  rows: number
  /** Messages that the broker has acknowledged. */
  messages: number
  durationMs: number
  /** What was added to the recorded times: whole weeks. */
  segments: readonly Segment[]
  /** Rows that the box keeps aside, by reason, as the kinds' own rules say: `clock`, `out-of-range`, `over-capacity`… */
  refused: Readonly<Record<string, number>>
  /** Rows and cells of the recording that could not be read. */
  malformed: number
}

export interface ReplayPlan {
  /** The parts of the recording in the order they are played, each with its shift of whole weeks. */
  segments: readonly Segment[]
  /** First and last time as they will be sent. */
  firstMs: number
  lastMs: number
  /** What should be known before starting, with what to do about it. */
  warnings: readonly string[]
}
