import { Point } from '@influxdata/influxdb-client'
import { AppError, type Kinds, type MetricValue } from '@pulso/model'
import { requireKind, requireMetric } from '../readings-checks.ts'
import type { HistoryQuery, Readings, ReadingsBatch } from '../readings.ts'
import type { Rollups } from '../rollups.ts'
import { createSerialQueue } from '../serial.ts'
import { createInfluxServer, type InfluxBucket, type InfluxVersion } from './address.ts'
import { isAnswer, toInfluxError } from './errors.ts'
import { openInfluxExport } from './export.ts'
import { findReadings } from './find.ts'
import { queryInflux, quoteIdentifier, quoteText, toTime, type ResultTable } from './influxql.ts'
import { toPoint } from './lines.ts'
import { ensureBuckets, type InfluxRetentionMs } from './retention.ts'
import { createInfluxRollups } from './rollups.ts'
import { writePoints } from './write.ts'

export interface InfluxReadingsOptions {
  url: string
  version: InfluxVersion
  /** 2.x: an API token. 1.x: `user:password`, or null where the server asks for none. */
  token: string | null
  /** 2.x only. */
  org: string
  /** On 1.x the database. Created when it is missing, and so are those of aggregates: `{bucket}_5m`, `_1h`, `_1d`. */
  bucket: string
  /** How long the server keeps what, applied at each start; when absent its own settings stay as they are. */
  retentionMs?: InfluxRetentionMs
  /** Sensors whose aggregates are worked out at once: their rows are in memory here, their series open in the server. */
  sensorsAtOnce?: number
  kinds: Kinds
  /** How long the server may be silent in a request. */
  timeoutMs?: number
  /**
   * True when the server may be away at the start: the first use that reaches it makes it ready. A server that answers, and
   * refuses, is a mistake in the settings and ends the opening all the same.
   */
  mayBeAway?: boolean
  /** Told in the server's words when it dropped points that are older than its bucket keeps, and took the others. */
  onBeyondRetention?: (detail: string) => void
}

const DEFAULT_TIMEOUT_MS = 10_000
const DEFAULT_SENSORS_AT_ONCE = 10_000
const SCHEMA_VERSION = 1
/** Where the schema's version is kept; with a hyphen, which no kind's name has. */
const SCHEMA_MEASUREMENT = 'pulso-schema'

/**
 * Readings in InfluxDB, a measurement per kind, written by line protocol and asked for in InfluxQL, which 1.x and 2.x
 * both speak. There are no transactions; a batch that is written again changes nothing.
 * @throws AppError `readings-unavailable` (retryable), `readings-too-new`, `readings-refused`
 */
export async function openInfluxReadings(
  options: InfluxReadingsOptions,
): Promise<Readings & { readonly rollups: Rollups }> {
  const { kinds, retentionMs, onBeyondRetention, timeoutMs = DEFAULT_TIMEOUT_MS } = options
  const server = createInfluxServer({ ...options, timeoutMs })
  const { raw } = server.buckets
  const query = (q: string): Promise<ResultTable[]> => queryInflux(raw.influx, { path: raw.queryPath, q })
  const ready = createOnce(async () => {
    await ensureBuckets(server, retentionMs)
    await keepSchemaVersion(raw, query)
  })
  try {
    await ready()
  } catch (error) {
    if (!options.mayBeAway || isAnswer(error)) {
      server.close()
      throw toInfluxError(`Cannot open the readings in InfluxDB at ${options.url}`, error)
    }
  }

  // One at a time: 1.6 loses points, though it says they are kept, when requests create a shard or series at once.
  const writes = createSerialQueue()
  let isClosed = false
  const goOn = (): void => {
    if (isClosed) throw new AppError('readings-unavailable', 'The readings are closed')
  }
  const guard = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
    try {
      await ready()
      return await work()
    } catch (error) {
      throw toInfluxError(doing, error)
    }
  }

  const rollups = createInfluxRollups({
    server,
    kinds,
    forgetsItself: (content) => Number.isFinite(retentionMs?.[content]),
    writes,
    guard,
    goOn,
    onBeyondRetention,
    sensorsAtOnce: options.sensorsAtOnce ?? DEFAULT_SENSORS_AT_ONCE,
  })

  return {
    driver: 'influxdb',
    rollups,
    write: (batch) =>
      writes.run(() =>
        guard('Cannot keep readings', () => writePoints(raw, toPoints(kinds, batch), onBeyondRetention)),
      ),
    position: async () => 0,
    find: (kindId, keys) =>
      guard('Cannot find readings', () => findReadings(query, requireKind(kinds, kindId), keys)),
    history: (request) => guard('Cannot query readings', () => selectHistory(query, kinds, request)),
    check: () =>
      guard('InfluxDB does not answer', async () => {
        await query('SHOW MEASUREMENTS LIMIT 1')
      }),
    snapshot: async () => null,
    openExport: (request) =>
      guard('Cannot take readings out', () =>
        openInfluxExport(query, { kind: requireKind(kinds, request.kind), request }),
      ),
    async close() {
      isClosed = true
      await writes.idle()
      server.close()
    },
  }
}

/** Does it until it has succeeded once; callers at the same time share the attempt. */
function createOnce(work: () => Promise<void>): () => Promise<void> {
  let attempt: Promise<void> | undefined
  return () => {
    attempt ??= work().catch((error: unknown) => {
      attempt = undefined
      throw error
    })
    return attempt
  }
}

/** A replacement overwrites: the merged reading has every field that the stored one has. */
function toPoints(kinds: Kinds, { inserts, replacements }: ReadingsBatch): Point[] {
  return [replacements, inserts].flatMap((batch) =>
    [...batch].flatMap(([kindId, readings]) => {
      const { id } = requireKind(kinds, kindId)
      return readings.map((reading) => toPoint(id, reading))
    }),
  )
}

async function selectHistory(
  query: (q: string) => Promise<ResultTable[]>,
  kinds: Kinds,
  { kind: kindId, sensorId, metric, fromMs, toMs, limit }: HistoryQuery,
): Promise<Awaited<ReturnType<Readings['history']>>> {
  const kind = requireKind(kinds, kindId)
  requireMetric(kind, metric)
  const tables = await query(
    `SELECT ${quoteIdentifier(metric)} FROM ${quoteIdentifier(kind.id)}
     WHERE "sensor_id" = ${quoteText(sensorId)} AND time >= ${toTime(fromMs)} AND time <= ${toTime(toMs)}
     ORDER BY time DESC LIMIT ${Math.max(0, Math.trunc(limit)) + 1}`,
  )
  const rows = tables.flatMap((table) => table.rows)
  const points = rows
    .slice(0, limit)
    .reverse()
    .map(([time, value]) => ({ timeMs: Number(time), value: value as MetricValue }))
  return { points, truncated: rows.length > limit }
}

/** Written anew at each start, so that a bucket which forgets does not forget it. */
async function keepSchemaVersion(
  bucket: InfluxBucket,
  query: (q: string) => Promise<ResultTable[]>,
): Promise<void> {
  const tables = await query(`SELECT last("version") FROM ${quoteIdentifier(SCHEMA_MEASUREMENT)}`)
  const version = Number(tables[0]?.rows[0]?.[1] ?? 0)
  if (version > SCHEMA_VERSION) {
    throw new AppError(
      'readings-too-new',
      `The readings were written by a newer Pulso (schema ${version}, this one knows ${SCHEMA_VERSION}): start that version, or use another bucket`,
    )
  }
  await writePoints(bucket, [new Point(SCHEMA_MEASUREMENT).floatField('version', SCHEMA_VERSION)])
}
