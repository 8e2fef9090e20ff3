import { AppError, DAY_MS, HOUR_MS, MINUTE_MS, type Kind, type Kinds, type Resolution } from '@pulso/model'
import { requireKind, requireMetric } from '../readings-checks.ts'
import { createRollupPlaces } from '../rollup-places.ts'
import {
  addRow,
  createRollupLayout,
  createRollupRow,
  toParts,
  type MetricPlaces,
  type RollupLayout,
  type RollupRow,
} from '../rollup-rows.ts'
import { addToScopes, createScopeRows, cutIntoPieces, toDays, type ScopeRows } from '../rollup-scopes.ts'
import type { AggregateQuery, AggregateRow, RollupPlan, Rollups, SensorPlace } from '../rollups.ts'
import { createSerialQueue, type SerialQueue } from '../serial.ts'
import type { InfluxContent, InfluxServer } from './address.ts'
import { queryInflux, quoteIdentifier, quoteText, type ResultTable } from './influxql.ts'
import { createRollupReader, toRollupColumns } from './rollup-points.ts'
import { ofSensors, readStoredDay, walkReadings, within } from './rollup-source.ts'
import { createRollupStore, type Replacing } from './rollup-store.ts'
import { streamInflux, type InfluxStream } from './stream.ts'

export interface InfluxRollupsOptions {
  server: InfluxServer
  kinds: Kinds
  /** Which buckets the server forgets from by itself. */
  forgetsItself: (content: InfluxContent) => boolean
  /** Behind the readings' own writes. */
  writes: SerialQueue
  guard: <T>(doing: string, work: () => Promise<T>) => Promise<T>
  /** Throws when the readings are closed, so that long work ends then. */
  goOn: () => void
  onBeyondRetention?: ((detail: string) => void) | undefined
  sensorsAtOnce: number
}

/** No bucket is longer. */
const MAX_LENGTH_MS: Readonly<Record<Resolution, number>> = {
  '5m': 5 * MINUTE_MS,
  '1h': HOUR_MS,
  '1d': DAY_MS + HOUR_MS,
}

/**
 * Aggregates in InfluxDB: readings and stored rows are read, summed up here, and written. Memory grows with the zones
 * and with `sensorsAtOnce`, not with the city.
 */
export function createInfluxRollups(options: InfluxRollupsOptions): Rollups {
  const { server, kinds, guard, sensorsAtOnce } = options
  const places = createRollupPlaces()
  const stream: InfluxStream = (content, q) => {
    options.goOn()
    const { influx, silenceMs } = server.patient
    return streamInflux({ influx, queryPath: server.buckets[content].queryPath }, { q, silenceMs })
  }
  const store = createRollupStore({ ...options, stream })
  const layouts = new Map([...kinds].map(([id, kind]) => [id, createRollupLayout(kind)]))
  const plans = createSerialQueue()

  /** @param isPart whether there are further sensors of the kind beside these */
  const toGroups = (sensors: readonly SensorPlace[], isPart = false): Group[] =>
    Array.from({ length: Math.ceil(sensors.length / sensorsAtOnce) }, (_, n) => ({
      sensors: sensors.slice(n * sensorsAtOnce, (n + 1) * sensorsAtOnce),
      isPart: isPart || sensors.length > sensorsAtOnce,
    }))

  const query = (content: InfluxContent, q: string): Promise<ResultTable[]> =>
    queryInflux(server.buckets[content].influx, { path: server.buckets[content].queryPath, q })
  const layoutOf = (kind: Kind): RollupLayout => layouts.get(kind.id) ?? createRollupLayout(kind)

  /** From the readings: sensors group by group, and meanwhile the sums of their zones and the city. */
  const rollUpReadings = async (kind: Kind, plan: RollupPlan, replacing: Replacing): Promise<void> => {
    const layout = layoutOf(kind)
    const sums = new Map<number, ScopeRows>(plan.buckets.map(({ fromMs }) => [fromMs, createScopeRows()]))
    for (const group of toGroups(places.of(kind.id))) {
      const request = { ...group, kind, layout, buckets: plan.buckets, nowMs: plan.nowMs }
      for await (const { bucket, rows } of walkReadings(stream, request)) {
        const sum = sums.get(bucket.fromMs)
        if (sum) addToScopes(layout, sum, { sensors: group.sensors, rows })
        if (plan.resolution !== '5m') await replacing.write('sensor', bucket, rows)
      }
    }
    for (const bucket of plan.buckets) {
      const sum = sums.get(bucket.fromMs) ?? createScopeRows()
      await replacing.write('zone', bucket, sum.zone)
      await replacing.write('city', bucket, sum.city)
    }
  }

  /** Days from stored hours, each scope for itself. */
  const rollUpHours = async (kind: Kind, plan: RollupPlan, replacing: Replacing): Promise<void> => {
    const request = { kind, layout: layoutOf(kind) }
    for (const bucket of plan.buckets) {
      for (const group of toGroups(places.of(kind.id))) {
        const where = `"scope" = 'sensor'${ofSensors('id', group)}`
        await replacing.write('sensor', bucket, await readStoredDay(stream, { ...request, bucket, where }))
      }
      for (const scope of ['zone', 'city'] as const) {
        const where = `"scope" = ${quoteText(scope)}`
        await replacing.write(scope, bucket, await readStoredDay(stream, { ...request, bucket, where }))
      }
    }
  }

  const rollUp = async (kind: Kind, plan: RollupPlan, isAgain = false): Promise<void> => {
    if (plan.buckets.length === 0) return
    const replacing = await store.replace(kind, layoutOf(kind), plan)
    await (plan.resolution === '1d' ? rollUpHours : rollUpReadings)(kind, plan, replacing)
    const stale = await replacing.deleteStale()
    if (stale.length === 0) return
    if (isAgain)
      throw new AppError('readings-refused', 'InfluxDB did not delete aggregates that no longer hold')
    await rollUp(kind, { ...plan, buckets: stale }, true)
  }

  const measure = async (kind: Kind, request: AggregateQuery, nowMs: number): Promise<AggregateRow[]> => {
    const layout = layoutOf(kind)
    const metric = layout.metrics.get(request.metric)
    const isDays = request.resolution === '1d'
    const sums = new Map(request.buckets.map(({ fromMs }) => [fromMs, createRollupRow(layout)]))
    const isPart = request.scope !== 'city'
    for (const group of toGroups(places.within(request), isPart)) {
      const buckets = isDays ? cutIntoPieces(request.buckets, HOUR_MS) : request.buckets
      const measured = walkReadings(stream, {
        ...group,
        kind,
        layout,
        buckets,
        nowMs,
        metrics: [request.metric],
      })
      const wanted = isDays ? toDays(layout, { days: request.buckets, hours: measured }) : measured
      for await (const { bucket, rows } of wanted) {
        const sum = sums.get(bucket.fromMs)
        for (const { sensorId } of group.sensors) {
          const row = rows.get(sensorId)
          if (sum && row) addRow(layout, sum, row)
        }
      }
    }
    return [...sums].flatMap(([fromMs, row]) => toAnswer(metric, fromMs, row))
  }

  const selectStored = async (kind: Kind, request: AggregateQuery): Promise<AggregateRow[]> => {
    const { resolution, scope, id, buckets } = request
    const layout = layoutOf(kind)
    const metric = layout.metrics.get(request.metric)
    const [first, last] = [buckets[0], buckets.at(-1)]
    if (!metric || !first || !last) return []
    const tables = await query(
      resolution,
      `SELECT ${toRollupColumns([metric])} FROM ${quoteIdentifier(kind.id)}
       WHERE "scope" = ${quoteText(scope)} AND "id" = ${quoteText(id)} AND ${within({ fromMs: first.fromMs, toMs: last.toMs })}`,
    )
    const wanted = new Set(buckets.map(({ fromMs }) => fromMs))
    return tables.flatMap((table) => {
      const read = createRollupReader(layout, table)
      return table.rows
        .filter(([time]) => wanted.has(Number(time)))
        .flatMap((cells) => toAnswer(metric, Number(cells[0]), read(cells)))
    })
  }

  return {
    async putPlaces(list) {
      places.put(list)
    },
    rollUp: (plan) =>
      plans.run(() => guard('Cannot roll up', () => rollUp(requireKind(kinds, plan.kind), plan))),
    aggregates: (request) =>
      guard('Cannot query aggregates', () => selectStored(requireMetricOf(kinds, request), request)),
    measure: (request, nowMs) =>
      guard('Cannot measure', () => measure(requireMetricOf(kinds, request), request, nowMs)),
    /** InfluxDB itself forgets whatever its buckets are told how long to keep. */
    forget: (content, beforeMs) =>
      guard('Cannot forget', async () => {
        if (options.forgetsItself(content)) return null
        const toMs = content === 'raw' ? beforeMs : beforeMs - MAX_LENGTH_MS[content] + 1
        for (const measurement of kinds.keys()) {
          const points = { measurement, fromMs: 0, toMs }
          await options.writes.run(() => server.api.deletePoints(server.buckets[content].name, points))
        }
        return null
      }),
    oldestReadingMs: (kindId) =>
      guard('Cannot query readings', async () => {
        const { id } = requireKind(kinds, kindId)
        const q = `SELECT first("received_at") FROM ${quoteIdentifier(id)}`
        const tables = await queryInflux(server.patient.influx, { path: server.buckets.raw.queryPath, q })
        const time = tables[0]?.rows[0]?.[0]
        return typeof time === 'number' ? time : null
      }),
    sizes: () =>
      guard('Cannot tell the size', async () => ({
        totalBytes: await server.api.diskBytes(Object.values(server.buckets).map(({ name }) => name)),
        // To count them, the server would read all of them.
        rows: null,
      })),
  }
}

/** A row that says nothing of the metric is none. */
function toAnswer(metric: MetricPlaces | undefined, fromMs: number, row: RollupRow): AggregateRow[] {
  const parts = metric ? toParts(row, metric) : {}
  return Object.keys(parts).length > 0 ? [{ fromMs, parts, elapsedMs: row.elapsedMs }] : []
}

interface Group {
  sensors: readonly SensorPlace[]
  isPart: boolean
}

function requireMetricOf(kinds: Kinds, { kind: kindId, metric }: AggregateQuery): Kind {
  const kind = requireKind(kinds, kindId)
  requireMetric(kind, metric)
  return kind
}
