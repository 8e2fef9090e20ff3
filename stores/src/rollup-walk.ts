import type { Bucket, MetricValue, Reading } from '@pulso/model'
import {
  add,
  countValue,
  createRollupRow,
  type MetricPlaces,
  type RollupLayout,
  type RollupRow,
} from './rollup-rows.ts'

export interface RollupWalkOptions {
  layout: RollupLayout
  /** In order, without overlaps. */
  buckets: readonly Bucket[]
  /** A bucket that still runs is worked out up to here. */
  nowMs: number
  /** How long a value of a sensor holds; readings of sensors that are not here are passed over. */
  holdMsOf: (sensorId: string) => number | undefined
  /** Given a bucket's rows by sensor when it is over; they are the receiver's to keep. */
  onBucket: (bucket: Bucket, rows: Map<string, RollupRow>) => void
}

/**
 * Works out the aggregates of each sensor in one walk over readings in the order of time. What it remembers of a sensor
 * is its current row and the newest value of each state and counter, so its memory grows with the sensors alone.
 */
export interface RollupWalk {
  /** Readings before a bucket only say what holds when it begins. */
  take(reading: Pick<Reading, 'sensorId' | 'timeMs' | 'values'>): void
  /** There are no readings before this: buckets that ended are given out. */
  advance(timeMs: number): void
}

/** A value of a state or of a counter which the next one refers to. */
interface Held {
  timeMs: number
  value: MetricValue
}

interface Walker {
  sensorId: string
  holdMs: number
  /** By metric. */
  held: Map<string, Held>
}

export function createRollupWalk({
  layout,
  buckets,
  nowMs,
  holdMsOf,
  onBucket,
}: RollupWalkOptions): RollupWalk {
  const walkers = new Map<string, Walker>()
  let rows = new Map<string, RollupRow>()
  let next = 0

  const rowOf = (sensorId: string): RollupRow => {
    let row = rows.get(sensorId)
    if (!row) rows.set(sensorId, (row = createRollupRow(layout)))
    return row
  }
  const walkerOf = (sensorId: string): Walker | undefined => {
    const known = walkers.get(sensorId)
    if (known) return known
    const holdMs = holdMsOf(sensorId)
    if (holdMs === undefined) return undefined
    const walker = { sensorId, holdMs, held: new Map<string, Held>() }
    walkers.set(sensorId, walker)
    return walker
  }

  /** Counts how long the state was held within the bucket, until this time at most. */
  const settle = (walker: Walker, { name, states }: MetricPlaces, span: Bucket): void => {
    const held = walker.held.get(name)
    if (!held || !states) return
    const heldMs =
      Math.min(span.toMs, held.timeMs + walker.holdMs, nowMs) - Math.max(span.fromMs, held.timeMs)
    if (heldMs <= 0) return
    const index = states.get(String(held.value))
    const { numbers } = rowOf(walker.sensorId)
    if (index !== undefined) add(numbers, index, heldMs)
  }

  const count = (bucket: Bucket, { walker, places, reading }: Counting): void => {
    const row = rowOf(walker.sensorId)
    countValue(row, places, reading)
    const index = places.number?.increase
    if (index === undefined) return
    const before = walker.held.get(places.name)
    if (before && before.timeMs > bucket.fromMs - Math.max(1, walker.holdMs)) {
      add(row.numbers, index, toIncrease(Number(before.value), Number(reading.value)))
    }
  }

  const finish = (bucket: Bucket): void => {
    for (const walker of walkers.values()) {
      for (const places of layout.metrics.values()) settle(walker, places, bucket)
    }
    const elapsedMs = Math.max(0, Math.min(bucket.toMs, nowMs) - bucket.fromMs)
    for (const row of rows.values()) row.elapsedMs = elapsedMs
    const finished = rows
    rows = new Map()
    next++
    onBucket(bucket, finished)
  }

  const advance = (timeMs: number): void => {
    for (let bucket = buckets[next]; bucket && timeMs >= bucket.toMs; bucket = buckets[next]) finish(bucket)
  }

  return {
    advance,
    take({ sensorId, timeMs, values }) {
      advance(timeMs)
      const bucket = buckets[next]
      const walker = bucket && walkerOf(sensorId)
      if (!walker) return
      const isInside = timeMs >= bucket.fromMs
      // One without a metric is a sign of life all the same.
      if (isInside) rowOf(sensorId)
      for (const [name, value] of Object.entries(values)) {
        const places = layout.metrics.get(name)
        if (!places || (typeof value === 'string') !== (places.states !== undefined)) continue
        const reading = { timeMs, value }
        settle(walker, places, { fromMs: bucket.fromMs, toMs: timeMs })
        if (isInside) count(bucket, { walker, places, reading })
        if (places.states || places.number?.increase !== undefined) walker.held.set(name, reading)
      }
    },
  }
}

interface Counting {
  walker: Walker
  places: MetricPlaces
  reading: Held
}

/** A counter that falls began anew at 0. */
function toIncrease(before: number, now: number): number {
  return now >= before ? now - before : now
}
