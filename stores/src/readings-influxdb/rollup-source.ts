import { DAY_MS, type Bucket, type Kind } from '@pulso/model'
import { addRow, createRollupRow, type RollupLayout, type RollupRow } from '../rollup-rows.ts'
import { cutIntoPieces, type SensorRows } from '../rollup-scopes.ts'
import { createRollupWalk } from '../rollup-walk.ts'
import type { SensorPlace } from '../rollups.ts'
import { quoteIdentifier, tagIsOneOf, toTime } from './influxql.ts'
import { createRollupReader, toRollupColumns } from './rollup-points.ts'
import type { InfluxStream } from './stream.ts'

/** What one answer covers: the rows of this time are in memory at once. */
const SLICE_MS = DAY_MS / 4

export interface SourceRequest {
  kind: Kind
  layout: RollupLayout
  /** All of the kind, or some of them. */
  sensors: readonly SensorPlace[]
  /** Whether there are others. */
  isPart: boolean
  buckets: readonly Bucket[]
  nowMs: number
}

/** The rows of sensors, worked out from the readings, in the order of the buckets. */
export async function* walkReadings(
  stream: InfluxStream,
  request: SourceRequest & { metrics?: readonly string[] },
): AsyncGenerator<SensorRows> {
  for (const run of toRuns(request.buckets)) yield* walkRun(stream, request, run)
}

async function* walkRun(
  stream: InfluxStream,
  request: SourceRequest & { metrics?: readonly string[] },
  buckets: readonly Bucket[],
): AsyncGenerator<SensorRows> {
  const { kind, layout, sensors, nowMs } = request
  const holdMsById = new Map(sensors.map(({ sensorId, holdMs }) => [sensorId, holdMs]))
  const finished: SensorRows[] = []
  const walk = createRollupWalk({
    layout,
    buckets,
    nowMs,
    holdMsOf: (sensorId) => holdMsById.get(sensorId),
    onBucket: (bucket, rows) => finished.push({ bucket, rows }),
  })
  const [fromMs, toMs] = [buckets[0]?.fromMs ?? 0, buckets.at(-1)?.toMs ?? 0]
  const select = (columns: string, span: Bucket): string =>
    `SELECT ${columns} FROM ${quoteIdentifier(kind.id)} WHERE ${within(span)}${ofSensors('sensor_id', request)}`

  // What holds at the beginning: the last value of each sensor, which the server finds without reading those before it.
  const longestHoldMs = sensors.reduce((longest, { holdMs }) => Math.max(longest, holdMs), 1)
  for (const { name, states, number } of layout.metrics.values()) {
    if (!states && number?.increase === undefined) continue
    const before = { fromMs: fromMs - longestHoldMs, toMs: fromMs }
    const q = `${select(`last(${quoteIdentifier(name)})`, before)} GROUP BY "sensor_id"`
    for await (const { tags, rows } of stream('raw', q)) {
      for (const [time, value] of rows) {
        if (typeof value !== 'number' && typeof value !== 'string') continue
        walk.take({ sensorId: tags?.sensor_id ?? '', timeMs: Number(time), values: { [name]: value } })
      }
    }
  }

  const names = toColumns(layout, request.metrics)
  const columns = ['sensor_id', 'received_at', ...names].map(quoteIdentifier).join(', ')
  for (const slice of cutIntoPieces([{ fromMs, toMs }], SLICE_MS)) {
    for await (const table of stream('raw', select(columns, slice))) {
      const [time = -1, sensor = -1] = ['time', 'sensor_id'].map((name) => table.columns.indexOf(name))
      const places = names.map((name) => [name, table.columns.indexOf(name)] as const)
      for (const cells of table.rows) {
        const values: Record<string, number | string> = {}
        for (const [name, index] of places) {
          const cell = cells[index]
          if (typeof cell === 'number' || typeof cell === 'string') values[name] = cell
        }
        walk.take({ sensorId: String(cells[sensor]), timeMs: Number(cells[time]), values })
      }
    }
    walk.advance(slice.toMs)
    // Only now: whoever takes them may write, and the answer would stand still meanwhile.
    yield* finished.splice(0)
  }
}

export interface StoredDayRequest {
  kind: Kind
  layout: RollupLayout
  bucket: Bucket
  /** `"scope" = …`, and what else narrows it. */
  where: string
}

/** Stored hours of a day, summed up by id. */
export async function readStoredDay(
  stream: InfluxStream,
  { kind, layout, bucket, where }: StoredDayRequest,
): Promise<Map<string, RollupRow>> {
  const sums = new Map<string, RollupRow>()
  const q = `SELECT "id", ${toRollupColumns(layout.metrics.values())} FROM ${quoteIdentifier(kind.id)}
    WHERE ${where} AND ${within(bucket)}`
  for await (const table of stream('1h', q)) {
    const read = createRollupReader(layout, table)
    const idColumn = table.columns.indexOf('id')
    for (const cells of table.rows) {
      const id = String(cells[idColumn] ?? '')
      let sum = sums.get(id)
      if (!sum) sums.set(id, (sum = createRollupRow(layout)))
      addRow(layout, sum, read(cells))
    }
  }
  return sums
}

/** Whether a sensor has a row depends on all of its states, so they are always read. */
function toColumns(layout: RollupLayout, metrics: readonly string[] | undefined): string[] {
  return [...layout.metrics.values()]
    .filter(({ name, states }) => metrics?.includes(name) !== false || states !== undefined)
    .map(({ name }) => name)
}

/** Buckets without a gap between them. */
export function toRuns(buckets: readonly Bucket[]): Bucket[][] {
  const runs: Bucket[][] = []
  for (const bucket of buckets) {
    const run = runs.at(-1)
    if (run?.at(-1)?.toMs === bucket.fromMs) run.push(bucket)
    else runs.push([bucket])
  }
  return runs
}

export function within({ fromMs, toMs }: Bucket): string {
  return `time >= ${toTime(fromMs)} AND time < ${toTime(toMs)}`
}

/** Narrows a statement down to the sensors, where there are others. */
export function ofSensors(
  tag: string,
  { sensors, isPart }: Pick<SourceRequest, 'sensors' | 'isPart'>,
): string {
  if (!isPart) return ''
  return ` AND ${tagIsOneOf(
    tag,
    sensors.map(({ sensorId }) => sensorId),
  )}`
}
