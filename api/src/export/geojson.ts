import type { Position } from '@pulso/model'
import type { ExportColumn, ReadingsPage } from '@pulso/stores'
import { createIsoTimes, type Encoder } from './encoder.ts'
import { toMembers } from './jsonl.ts'

/** Where a sensor is now. */
export interface Place {
  position: Position | null
  zone: string | null
}

/** A FeatureCollection with a feature per reading, where its sensor is today; without a geometry while nobody placed it. */
export function createGeojsonEncoder(
  columns: readonly ExportColumn[],
  findPlace: (sensorId: string) => Place | undefined,
): Encoder {
  const toTime = createIsoTimes()
  const toReceivedAt = createIsoTimes()
  const keys = columns.map(({ metric }) => `,${JSON.stringify(metric)}:`)
  let isFirst = true
  return {
    head: () => '{"type":"FeatureCollection","features":[\n',
    page({ rows, timesMs, receivedAtMs, sensorIds, values }: ReadingsPage) {
      let text = ''
      for (let row = 0; row < rows; row++) {
        const sensorId = sensorIds[row] ?? ''
        const { position = null, zone = null } = findPlace(sensorId) ?? {}
        const geometry = position
          ? `{"type":"Point","coordinates":[${position.lon},${position.lat}]}`
          : 'null'
        const [time, receivedAt] = [toTime(timesMs[row]), toReceivedAt(receivedAtMs[row])]
        text +=
          `${isFirst ? '' : ',\n'}{"type":"Feature","geometry":${geometry},"properties":{` +
          `"sensor_id":${JSON.stringify(sensorId)},"zone":${JSON.stringify(zone)},` +
          `"time":"${time}","received_at":"${receivedAt}"${toMembers(keys, values, row)}}}`
        isFirst = false
      }
      return text
    },
    tail: () => '\n]}\n',
  }
}
