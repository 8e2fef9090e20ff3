import { HOUR_MS } from '@pulso/model'
import type { InfluxConnections, InfluxVersionApi } from './version-api.ts'
import { isAnswer } from './errors.ts'
import { queryInflux, quoteIdentifier, toTime, type ResultTable } from './influxql.ts'

/** InfluxDB 1.x: a bucket is a database, kept as its default retention policy says. All is said in InfluxQL. */
export function createVersion1({ influx, patient }: InfluxConnections): InfluxVersionApi {
  const query = (q: string): Promise<ResultTable[]> => queryInflux(influx, { path: '/query', q })
  return {
    writePath: (db) => `/write?${new URLSearchParams({ db, precision: 'ms' }).toString()}`,
    async ensureBucket(bucket, { retentionMs, shardMs }) {
      const database = quoteIdentifier(bucket)
      await query(`CREATE DATABASE ${database}`)
      if (retentionMs === undefined) return
      const policy = quoteIdentifier(toDefaultPolicy(await query(`SHOW RETENTION POLICIES ON ${database}`)))
      const duration = retentionMs === null ? 'INF' : toTime(retentionMs)
      // Both at once, because the server refuses a period that is shorter than a shard's.
      await query(
        `ALTER RETENTION POLICY ${policy} ON ${database} DURATION ${duration}
         SHARD DURATION ${toTime(Math.max(HOUR_MS, Math.min(shardMs, retentionMs ?? shardMs)))}`,
      )
    },
    async deletePoints(bucket, { measurement, fromMs, toMs }) {
      const path = `/query?${new URLSearchParams({ db: bucket }).toString()}`
      const q = `DELETE FROM ${quoteIdentifier(measurement)} WHERE time >= ${toTime(fromMs)} AND time < ${toTime(toMs)}`
      await queryInflux(patient, { path, q })
    },
    async diskBytes(buckets) {
      try {
        return toDiskBytes(await query(`SHOW STATS FOR 'shard'`), buckets)
      } catch (error) {
        // Only an administrator may ask, and newer servers may not know the question.
        if (isAnswer(error)) return null
        throw error
      }
    },
  }
}

function toDefaultPolicy(tables: readonly ResultTable[]): string {
  const [name, isDefault] = ['name', 'default'].map((column) => tables[0]?.columns.indexOf(column) ?? -1)
  const row = tables[0]?.rows.find((cells) => cells[isDefault ?? -1] === true)
  return String(row?.[name ?? -1] ?? 'autogen')
}

/** The server tells of each shard how many bytes it has, its log included. */
function toDiskBytes(tables: readonly ResultTable[], buckets: readonly string[]): number {
  let bytes = 0
  for (const { tags, columns, rows } of tables) {
    if (tags?.database === undefined || !buckets.includes(tags.database)) continue
    const index = columns.indexOf('diskBytes')
    for (const row of rows) bytes += Number(row[index] ?? 0)
  }
  return bytes
}
