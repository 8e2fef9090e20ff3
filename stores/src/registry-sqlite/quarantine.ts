import type { QuarantineReason } from '@pulso/model'
import type { IngestRegistry, QuarantineEntry, StoredQuarantineEntry } from '../registry.ts'
import type { RegistryDatabase } from './database.ts'

export interface QuarantineBounds {
  maxEntries: number
  /** Of payloads. */
  maxBytes: number
}

export interface SqliteQuarantine extends Pick<IngestRegistry, 'listQuarantine' | 'countQuarantine'> {
  /** Within a running transaction: adds entries, then drops the oldest beyond the bounds. */
  add: (entries: readonly QuarantineEntry[]) => void
}

interface QuarantineRow {
  id: number
  received_at_ms: number
  reason: string
  detail: string
  topic: string
  sensor_id: string | null
  metric: string | null
  payload: Uint8Array
}

export function createSqliteQuarantine(
  database: RegistryDatabase,
  { maxEntries, maxBytes }: QuarantineBounds,
): SqliteQuarantine {
  const { connection, run } = database
  const insert = connection.prepare(
    `INSERT INTO quarantine (received_at_ms, reason, detail, topic, sensor_id, metric, payload)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  )
  const selectOldest = connection.prepare('SELECT id, length(payload) AS bytes FROM quarantine ORDER BY id')
  const removeUpTo = connection.prepare('DELETE FROM quarantine WHERE id <= ?')
  const list = connection.prepare(
    `SELECT * FROM quarantine
     WHERE (:before IS NULL OR id < :before) AND (:reason IS NULL OR reason = :reason)
       AND (:sensor IS NULL OR sensor_id = :sensor)
     ORDER BY id DESC LIMIT :limit`,
  )
  const countByReason = connection.prepare(
    'SELECT reason AS name, count(*) AS entries FROM quarantine GROUP BY reason',
  )
  const countBySensor = connection.prepare(
    'SELECT sensor_id AS name, count(*) AS entries FROM quarantine WHERE sensor_id IS NOT NULL GROUP BY sensor_id',
  )

  /** The totals are kept beside the entries: counting 100,000 of them at each batch would take too long. */
  const dropOldest = (totals: { entries: number; bytes: number }): void => {
    if (totals.entries <= maxEntries && totals.bytes <= maxBytes) return
    let last = 0
    for (const { id, bytes } of selectOldest.iterate()) {
      totals.entries--
      totals.bytes -= Number(bytes)
      last = Number(id)
      if (totals.entries <= maxEntries && totals.bytes <= maxBytes) break
    }
    removeUpTo.run(last)
  }

  return {
    add(entries) {
      if (entries.length === 0) return
      const totals = {
        entries: database.counter('quarantine_entries') + entries.length,
        bytes: database.counter('quarantine_bytes'),
      }
      for (const { receivedAtMs, reason, detail, topic, sensorId, metric, payload } of entries) {
        insert.run(receivedAtMs, reason, detail, topic, sensorId, metric, payload)
        totals.bytes += payload.length
      }
      dropOldest(totals)
      database.setCounter('quarantine_entries', totals.entries)
      database.setCounter('quarantine_bytes', totals.bytes)
    },
    listQuarantine: ({ beforeId, reason, sensorId, limit }) =>
      run(() => {
        const filter = { before: beforeId ?? null, reason: reason ?? null, sensor: sensorId ?? null, limit }
        return (list.all(filter) as unknown as QuarantineRow[]).map(toEntry)
      }),
    countQuarantine: () =>
      run(() => ({ byReason: toCounts(countByReason.all()), bySensor: toCounts(countBySensor.all()) })),
  }
}

function toCounts(rows: readonly Record<string, unknown>[]): Record<string, number> {
  return Object.fromEntries(rows.map(({ name, entries }) => [String(name), Number(entries)]))
}

function toEntry(row: QuarantineRow): StoredQuarantineEntry {
  const { id, received_at_ms, reason, detail, topic, sensor_id, metric, payload } = row
  return {
    id,
    receivedAtMs: received_at_ms,
    reason: reason as QuarantineReason,
    detail,
    topic,
    sensorId: sensor_id,
    metric,
    payload,
  }
}
