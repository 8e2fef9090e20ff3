import { Point } from '@influxdata/influxdb-client'
import type { Kind, MetricValue, Reading } from '@pulso/model'
import type { ResultTable } from './influxql.ts'

/**
 * A reading as a point. The sensor is the only tag, because tags are part of a point's identity. `received_at` is epoch
 * ms. All numbers are floats: a field that began as an integer would refuse the first fraction.
 */
export function toPoint(kindId: string, { sensorId, timeMs, receivedAtMs, values }: Reading): Point {
  const point = new Point(kindId).tag('sensor_id', sensorId).floatField('received_at', receivedAtMs)
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'number') point.floatField(name, value)
    else point.stringField(name, value)
  }
  return point.timestamp(timeMs)
}

/** Rows of `SELECT *` as readings; fields that the kind does not have are left out. */
export function toReadings(kind: Kind, { columns, rows }: ResultTable): Reading[] {
  const [time, receivedAt, sensor] = ['time', 'received_at', 'sensor_id'].map((name) => columns.indexOf(name))
  const metrics = [...columns.entries()].filter(([, name]) => Object.hasOwn(kind.metrics, name))
  return rows.map((row) => {
    const values: Record<string, MetricValue> = {}
    for (const [index, name] of metrics) {
      const cell = row[index]
      if (typeof cell === 'number' || typeof cell === 'string') values[name] = cell
    }
    return {
      sensorId: String(row[sensor ?? -1]),
      timeMs: Number(row[time ?? -1]),
      receivedAtMs: Number(row[receivedAt ?? -1]),
      values,
    }
  })
}
