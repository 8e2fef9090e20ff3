import type { Point } from '@influxdata/influxdb-client'
import { messageOf } from '@pulso/model'
import type { InfluxBucket } from './address.ts'
import { isBeyondRetention } from './errors.ts'

/** InfluxDB's own advice for the size of one write. */
export const POINTS_PER_REQUEST = 5_000

/** Sends points and waits for the server's word on each request: nothing stays in the client's buffers. */
export async function writePoints(
  { influx, writePath }: Pick<InfluxBucket, 'influx' | 'writePath'>,
  points: readonly Point[],
  onBeyondRetention?: (detail: string) => void,
): Promise<void> {
  for (let start = 0; start < points.length; start += POINTS_PER_REQUEST) {
    const writeApi = influx.getWriteApi('', '', 'ms', {
      // Only `flush` sends: an error of a batch that sends itself would be lost.
      batchSize: POINTS_PER_REQUEST + 1,
      maxBatchBytes: Number.MAX_SAFE_INTEGER,
      flushInterval: 0,
      // Our caller tries again, with the journal behind it; the client would drop what it holds for too long.
      maxRetries: 0,
      // The caller logs it; without this the client would, to the console.
      writeFailed: (error) => Promise.reject(error),
    })
    writeApi.path = writePath
    try {
      writeApi.writePoints(points.slice(start, start + POINTS_PER_REQUEST))
      await writeApi.flush()
    } catch (error) {
      if (!isBeyondRetention(error)) throw error
      onBeyondRetention?.(messageOf(error))
    } finally {
      writeApi.dispose()
    }
  }
}
