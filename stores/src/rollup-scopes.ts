import type { Bucket, Scope } from '@pulso/model'
import { addRow, createRollupRow, type RollupLayout, type RollupRow } from './rollup-rows.ts'
import type { SensorPlace } from './rollups.ts'

/** Rows of some sensors in one bucket, by sensor. */
export interface SensorRows {
  bucket: Bucket
  rows: ReadonlyMap<string, RollupRow>
}

/** Rows by scope and id; the city's id is `''`. */
export type ScopeRows = Record<Exclude<Scope, 'sensor'>, Map<string, RollupRow>>

export const CITY_ID = ''

export function createScopeRows(): ScopeRows {
  return { zone: new Map(), city: new Map() }
}

/** Adds rows of sensors to those of their zones and the city. The sensors are in the order of their ids, over calls too. */
export function addToScopes(
  layout: RollupLayout,
  into: ScopeRows,
  { sensors, rows }: { sensors: readonly SensorPlace[]; rows: ReadonlyMap<string, RollupRow> },
): void {
  const addTo = (scope: Map<string, RollupRow>, id: string, row: RollupRow): void => {
    let sum = scope.get(id)
    if (!sum) scope.set(id, (sum = createRollupRow(layout)))
    addRow(layout, sum, row)
  }
  for (const { sensorId, zone } of sensors) {
    const row = rows.get(sensorId)
    if (!row) continue
    if (zone !== null) addTo(into.zone, zone, row)
    addTo(into.city, CITY_ID, row)
  }
}

/**
 * Sums hours up to the days that they are in. Hours come in the order of time. A day has the elapsed time of the hours
 * that have rows.
 */
export async function* toDays(
  layout: RollupLayout,
  { days, hours }: { days: readonly Bucket[]; hours: AsyncIterable<SensorRows> },
): AsyncGenerator<SensorRows> {
  let next = 0
  let rows = new Map<string, RollupRow>()
  const finish = (day: Bucket): SensorRows => {
    const finished = { bucket: day, rows }
    rows = new Map()
    next++
    return finished
  }
  for await (const hour of hours) {
    for (let day = days[next]; day && hour.bucket.fromMs >= day.toMs; day = days[next]) yield finish(day)
    for (const [sensorId, row] of hour.rows) {
      let sum = rows.get(sensorId)
      if (!sum) rows.set(sensorId, (sum = createRollupRow(layout)))
      addRow(layout, sum, row)
    }
  }
  for (let day = days[next]; day; day = days[next]) yield finish(day)
}

/** Buckets cut into hours from their beginning, as the city's days are; the last one may be shorter. */
export function cutIntoPieces(buckets: readonly Bucket[], lengthMs: number): Bucket[] {
  return buckets.flatMap(({ fromMs, toMs }) =>
    Array.from({ length: Math.ceil((toMs - fromMs) / lengthMs) }, (_, n) => ({
      fromMs: fromMs + n * lengthMs,
      toMs: Math.min(toMs, fromMs + (n + 1) * lengthMs),
    })),
  )
}
