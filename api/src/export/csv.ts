import type { ExportColumn, ReadingsPage } from '@pulso/stores'
import { createIsoTimes, type Encoder } from './encoder.ts'

const LINE_END = '\r\n'
const NEEDS_QUOTES = /[",\r\n]/
const LOOKS_LIKE_A_FORMULA = /^[=+\-@\t\r]/

/** CSV as RFC 4180 has it, with a header; what a reading does not have is an empty cell. */
export function createCsvEncoder(columns: readonly ExportColumn[]): Encoder {
  const toTime = createIsoTimes()
  const toReceivedAt = createIsoTimes()
  const names = ['time', 'received_at', 'sensor_id', ...columns.map(({ metric }) => metric)]
  return {
    head: () => names.map(toCsvText).join(',') + LINE_END,
    page({ rows, timesMs, receivedAtMs, sensorIds, values }: ReadingsPage) {
      let text = ''
      for (let row = 0; row < rows; row++) {
        text += `${toTime(timesMs[row])},${toReceivedAt(receivedAtMs[row])},${toCsvText(sensorIds[row] ?? '')}`
        for (const list of values) text += `,${toCell(list[row])}`
        text += LINE_END
      }
      return text
    },
    tail: () => '',
  }
}

function toCell(value: string | number | null | undefined): string {
  if (typeof value === 'number') return Number.isNaN(value) ? '' : String(value)
  return value ? toCsvText(value) : ''
}

/**
 * A cell with text. One that a spreadsheet would take for a formula gets an apostrophe in front, which a program can take
 * off again: no sensor id begins with one. Numbers are left alone, also negative ones.
 */
export function toCsvText(text: string): string {
  const safe = LOOKS_LIKE_A_FORMULA.test(text) ? `'${text}` : text
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
