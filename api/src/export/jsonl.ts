import type { ExportColumn, ReadingsPage } from '@pulso/stores'
import { createIsoTimes, toValue, type Encoder } from './encoder.ts'

/** JSON Lines: one reading a line, without the metrics that it does not have. */
export function createJsonlEncoder(columns: readonly ExportColumn[]): Encoder {
  const toTime = createIsoTimes()
  const toReceivedAt = createIsoTimes()
  const keys = columns.map(({ metric }) => `,${JSON.stringify(metric)}:`)
  return {
    head: () => '',
    page({ rows, timesMs, receivedAtMs, sensorIds, values }: ReadingsPage) {
      let text = ''
      for (let row = 0; row < rows; row++) {
        const [time, receivedAt] = [toTime(timesMs[row]), toReceivedAt(receivedAtMs[row])]
        text += `{"time":"${time}","received_at":"${receivedAt}","sensor_id":${JSON.stringify(sensorIds[row])}`
        text += `${toMembers(keys, values, row)}}\n`
      }
      return text
    },
    tail: () => '',
  }
}

/** `,"name":value` for each metric that the reading has. */
export function toMembers(keys: readonly string[], values: ReadingsPage['values'], row: number): string {
  let text = ''
  for (const [index, list] of values.entries()) {
    const value = toValue(list[row])
    if (value !== null) text += `${keys[index] ?? ''}${JSON.stringify(value)}`
  }
  return text
}
