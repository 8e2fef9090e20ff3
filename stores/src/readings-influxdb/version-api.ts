import type { InfluxDB } from '@influxdata/influxdb-client'
import type { Bucket } from '@pulso/model'

export interface InfluxConnections {
  influx: InfluxDB
  /** For what takes long. */
  patient: InfluxDB
}

/** All that InfluxDB 1.x and 2.x do differently: where they take writes, how they know us, how buckets are kept. */
export interface InfluxVersionApi {
  writePath(bucket: string): string
  /** @param retentionMs null: for ever; undefined: what the server says */
  ensureBucket(bucket: string, keeping: { retentionMs?: number | null; shardMs: number }): Promise<void>
  /** Deletes the points of a measurement from a time on and before another one. */
  deletePoints(bucket: string, points: Bucket & { measurement: string }): Promise<void>
  /** Bytes on the server's disk, `null` where it does not say. */
  diskBytes(buckets: readonly string[]): Promise<number | null>
}
