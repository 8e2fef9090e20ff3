import type { MetricValue, Reading } from '@pulso/model'

/** One (sensor, time) of a batch. */
export interface Identity {
  kind: string
  /** Its values are its own: they are merged into. */
  reading: KeptReading
  /** How it gets into the store; a late one is not known to be there or not before `settle`. */
  fate: 'insert' | 'replace' | 'nothing' | 'late'
  /** What arrived for a late one, in order. */
  arrivals: Reading[]
}

/** A reading that nobody else holds. */
export type KeptReading = Omit<Reading, 'values' | 'receivedAtMs'> & {
  receivedAtMs: number
  values: Record<string, MetricValue>
}

/** The times of a sensor that a batch brings, each with its identity. Most sensors have one in a batch. */
export interface BatchTimes {
  newest: Identity | undefined
  /** The others. */
  older: Map<number, Identity> | undefined
}
