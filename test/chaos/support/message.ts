import type { ChaosKind } from './kinds.ts'

export type Value = string | number
export type Values = Record<string, Value>

/** What a message is there to try. */
export type Intent =
  | 'reading'
  | 'late'
  | 'batch'
  | 'duplicate'
  | 'correction'
  | 'fill-in'
  | 'exactly-once'
  | 'best-effort'
  | 'untimed'
  | 'bad'

/** One message of one connection, from its first sending to its acknowledgement. */
export interface Message {
  /** Rises by one; with the seed it names the message again. */
  number: number
  intent: Intent
  qos: 0 | 1 | 2
  sensor: ChaosSensor
  topic: string
  payload: string
  /** What it says with the device's own time. */
  readings: readonly { timeMs: number; values: Values }[]
  /** What it says without one. */
  serial?: number
  /** How often it was sent. */
  sends: number
}

/** What a sensor of the run is used for: what it sends decides what can be said of it afterwards. */
export type SensorUse = 'timed' | 'untimed' | 'best-effort' | 'bad'

export interface ChaosSensor {
  id: string
  kind: ChaosKind
  use: SensorUse
}
