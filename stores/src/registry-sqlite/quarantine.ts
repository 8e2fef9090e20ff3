import type { QuarantineReason } from '@pulso/model'
import type { QuarantineBounds } from '../limits.ts'
import type {
  QuarantineEntry,
  QuarantineFilter,
  QuarantineRegistry,
  QuarantineTotal,
  StoredQuarantineEntry,
} from '../registry.ts'
import type { RegistryDatabase } from './database.ts'
import { createQuarantineKeeping } from './quarantine-keeping.ts'

export interface SqliteQuarantine extends QuarantineRegistry {
  /** Within a running transaction: adds entries and drops what is beyond the bounds. */
  add: (entries: readonly QuarantineEntry[]) => void
}

interface EntryRow {
  id: number
  total_id: number
  received_at_ms: number
  reason: string
  detail: string
  topic: string
  sensor_id: string | null
  metric: string | null
  payload: Uint8Array
}

interface TotalRow extends Omit<EntryRow, 'total_id' | 'received_at_ms' | 'sensor_id' | 'metric'> {
  sensor_id: string
  metric: string
  count: number
  kept: number
  first_received_at_ms: number
  last_received_at_ms: number
}

/** Entries, and beside them the totals, which go on counting where entries have to go. */
export function createSqliteQuarantine(
  database: RegistryDatabase,
  bounds: QuarantineBounds,
): SqliteQuarantine {
  const { connection, run, transact } = database
  const keeping = createQuarantineKeeping(database, bounds)
  const countBy = (column: 'reason' | 'sensor_id') =>
    connection.prepare(
      `SELECT ${column} AS name, sum(count) AS count FROM quarantine_totals WHERE ${column} <> '' GROUP BY ${column}`,
    )
  const [countByReason, countBySensor] = [countBy('reason'), countBy('sensor_id')]

  return {
    add: (entries) => keeping.add(entries),
    listQuarantine: ({ beforeId, afterId, limit, ...filter }) =>
      run(() => {
        const { sql, values } = toCondition(filter, [
          ['id < ?', beforeId],
          ['id > ?', afterId],
        ])
        const order = afterId === undefined ? 'DESC' : 'ASC'
        const list = connection.prepare(`SELECT * FROM quarantine WHERE ${sql} ORDER BY id ${order} LIMIT ?`)
        return (list.all(...values, limit) as unknown as EntryRow[]).map(toEntry)
      }),
    listQuarantineTotals: ({ limit, ...filter }) =>
      run(() => {
        const { sql, values } = toTotalsCondition(filter)
        const list = connection.prepare(
          `SELECT * FROM quarantine_totals WHERE ${sql} ORDER BY last_received_at_ms DESC, id DESC LIMIT ?`,
        )
        return (list.all(...values, limit) as unknown as TotalRow[]).map(toTotal)
      }),
    countQuarantine: () =>
      run(() => ({
        entries: database.counter('quarantine_entries'),
        bytes: database.counter('quarantine_bytes'),
        dropped: database.counter('quarantine_dropped'),
        returned: database.counter('quarantine_returned'),
        byReason: toCounts(countByReason.all()),
        bySensor: toCounts(countBySensor.all()),
      })),
    purgeQuarantine: (filter, limit) =>
      transact(() => {
        const { sql, values } = toCondition(filter)
        const select = connection.prepare(`SELECT id FROM quarantine WHERE ${sql} ORDER BY id LIMIT ?`)
        const removed = keeping.remove(select.all(...values, limit).map(({ id }) => Number(id)))
        if (removed < limit && filter.id === undefined) {
          const left = toTotalsCondition(filter)
          connection
            .prepare(`DELETE FROM quarantine_totals WHERE kept = 0 AND ${left.sql}`)
            .run(...left.values)
        }
        return removed
      }),
    releaseQuarantine: (ids) => transact(() => keeping.remove(ids)),
  }
}

interface Condition {
  sql: string
  values: (string | number)[]
}

/** Only what is asked for: a condition that is always written out (`? IS NULL OR …`) could use no index. */
function toCondition(
  { id, totalId, reason, sensorId, receivedBeforeMs, throughId }: QuarantineFilter,
  further: readonly (readonly [string, string | number | undefined])[] = [],
): Condition {
  return join([
    ['id = ?', id],
    ['total_id = ?', totalId],
    ['reason = ?', reason],
    ['sensor_id = ?', sensorId],
    ['received_at_ms < ?', receivedBeforeMs],
    ['id <= ?', throughId],
    ...further,
  ])
}

function toTotalsCondition({ totalId, reason, sensorId, receivedBeforeMs }: QuarantineFilter): Condition {
  return join([
    ['id = ?', totalId],
    ['reason = ?', reason],
    ['sensor_id = ?', sensorId],
    ['last_received_at_ms < ?', receivedBeforeMs],
  ])
}

function join(parts: readonly (readonly [string, string | number | undefined])[]): Condition {
  const condition: Condition = { sql: 'TRUE', values: [] }
  for (const [sql, value] of parts) {
    if (value === undefined) continue
    condition.sql += ` AND ${sql}`
    condition.values.push(value)
  }
  return condition
}

function toCounts(rows: readonly Record<string, unknown>[]): Record<string, number> {
  return Object.fromEntries(rows.map(({ name, count }) => [String(name), Number(count)]))
}

function toEntry(row: EntryRow): StoredQuarantineEntry {
  const { id, total_id, received_at_ms, reason, detail, topic, sensor_id, metric, payload } = row
  return {
    id,
    totalId: total_id,
    receivedAtMs: received_at_ms,
    reason: reason as QuarantineReason,
    detail,
    topic,
    sensorId: sensor_id,
    metric,
    payload,
  }
}

function toTotal(row: TotalRow): QuarantineTotal {
  const { id, reason, sensor_id, metric, count, kept, detail, topic, payload } = row
  return {
    id,
    reason: reason as QuarantineReason,
    sensorId: sensor_id === '' ? null : sensor_id,
    metric: metric === '' ? null : metric,
    count,
    kept,
    firstReceivedAtMs: row.first_received_at_ms,
    lastReceivedAtMs: row.last_received_at_ms,
    sample: { detail, topic, payload },
  }
}
