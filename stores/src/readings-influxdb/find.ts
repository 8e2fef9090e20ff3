import { SECOND_MS, type Kind, type Reading } from '@pulso/model'
import type { ReadingKey } from '../readings.ts'
import { quoteIdentifier, quoteText, toTime, type ResultTable } from './influxql.ts'
import { toReadings } from './lines.ts'

/** InfluxQL knows no list of points, so one statement asks for a span of time of some sensors. */
const SPAN_MS = 60 * SECOND_MS
const SENSORS_PER_STATEMENT = 200
const STATEMENTS_PER_REQUEST = 50

interface Span {
  fromMs: number
  toMs: number
  sensorIds: Set<string>
}

/**
 * The stored readings with these keys. Spans are short and sensors few, so that a statement answers little more than
 * what was asked for, however dense the data is.
 */
export async function findReadings(
  query: (q: string) => Promise<ResultTable[]>,
  kind: Kind,
  keys: readonly ReadingKey[],
): Promise<Reading[]> {
  const wanted = new Set(keys.map(toName))
  const statements = toSpans(keys).map((span) => toStatement(kind.id, span))
  const found: Reading[] = []
  for (let start = 0; start < statements.length; start += STATEMENTS_PER_REQUEST) {
    const tables = await query(statements.slice(start, start + STATEMENTS_PER_REQUEST).join('; '))
    for (const reading of tables.flatMap((table) => toReadings(kind, table))) {
      if (wanted.has(toName(reading))) found.push(reading)
    }
  }
  return found
}

/** No two spans share a key, so that nothing is found twice. */
function toSpans(keys: readonly ReadingKey[]): Span[] {
  const spans: Span[] = []
  /** Those that begin less than a span ago and have room; a sensor is in one of them only. */
  let span: Span | undefined
  let beganMs = -Infinity
  let open: Span[] = []
  for (const { sensorId, timeMs } of [...keys].sort((a, b) => a.timeMs - b.timeMs)) {
    if (timeMs - beganMs >= SPAN_MS) {
      beganMs = timeMs
      open = []
      span = undefined
    }
    const own = open.find(({ sensorIds }) => sensorIds.has(sensorId))
    if (own) {
      own.toMs = timeMs
      continue
    }
    if (!span || span.sensorIds.size >= SENSORS_PER_STATEMENT) {
      span = { fromMs: timeMs, toMs: timeMs, sensorIds: new Set() }
      open.push(span)
      spans.push(span)
    }
    span.sensorIds.add(sensorId)
    span.toMs = timeMs
  }
  return spans
}

function toStatement(kindId: string, { fromMs, toMs, sensorIds }: Span): string {
  const sensors = [...sensorIds].map((id) => `"sensor_id" = ${quoteText(id)}`).join(' OR ')
  return `SELECT * FROM ${quoteIdentifier(kindId)} WHERE time >= ${toTime(fromMs)} AND time <= ${toTime(toMs)} AND (${sensors})`
}

function toName({ sensorId, timeMs }: ReadingKey): string {
  return `${timeMs} ${sensorId}`
}
