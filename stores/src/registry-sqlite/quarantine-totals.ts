import type { DatabaseSync } from 'node:sqlite'
import type { QuarantineEntry } from '../registry.ts'

/** A row for each mistake of each sensor. Everything within a running transaction. */
export interface TotalRows {
  /** To be called before the rows of a batch are asked for: other threads may have made some. */
  begin(): void
  /** The row that such an entry counts in; made when there is none. */
  idFor(entry: Pick<QuarantineEntry, 'reason' | 'sensorId' | 'metric'>): number
  add(id: number, addition: TotalAddition): void
  keptOf(id: number): number
  /** Entries went at a bound: they count on. */
  drop(entriesById: ReadonlyMap<number, number>): void
  /** Entries went because they were stored or deleted: they count no more. */
  forget(entriesById: ReadonlyMap<number, number>, options: { keepEmpty: boolean }): void
}

export interface TotalAddition {
  count: number
  kept: number
  firstMs: number
  lastMs: number
  sample: { detail: string; topic: string; payload: Uint8Array }
}

/** No sensor id can be this. */
const OTHERS = '*'
/** A first time before which everything is. */
const NEVER_MS = Number.MAX_SAFE_INTEGER

export function createTotalRows(connection: DatabaseSync, maxTotals: number): TotalRows {
  const find = connection.prepare(
    'SELECT id FROM quarantine_totals WHERE reason = ? AND sensor_id = ? AND metric = ?',
  )
  const countRows = connection.prepare('SELECT count(*) AS count FROM quarantine_totals')
  const insert = connection.prepare(
    `INSERT INTO quarantine_totals VALUES (NULL, ?, ?, ?, 0, 0, ${NEVER_MS}, 0, '', '', x'') RETURNING id`,
  )
  const update = connection.prepare(
    `UPDATE quarantine_totals SET count = count + ?, kept = kept + ?,
       first_received_at_ms = min(first_received_at_ms, ?), last_received_at_ms = ? WHERE id = ?`,
  )
  const updateSample = connection.prepare(
    'UPDATE quarantine_totals SET detail = ?, topic = ?, payload = ? WHERE id = ?',
  )
  const select = connection.prepare('SELECT kept, last_received_at_ms FROM quarantine_totals WHERE id = ?')
  const change = connection.prepare(
    'UPDATE quarantine_totals SET count = count - ?, kept = kept - ? WHERE id = ?',
  )
  const removeEmpty = connection.prepare('DELETE FROM quarantine_totals WHERE id = ? AND count <= 0')

  const findOrInsert = (...key: [string, string, string]): number =>
    Number((find.get(...key) ?? insert.get(...key))?.id)

  /** How many rows may still be made; not known before somebody asks. */
  let room: number | undefined

  return {
    begin() {
      room = undefined
    },
    idFor({ reason, sensorId, metric }) {
      const key = [reason, sensorId ?? '', metric ?? ''] as const
      const known = find.get(...key)
      if (known) return Number(known.id)
      room ??= maxTotals - Number(countRows.get()?.count)
      // A gateway may make up sensor ids without end.
      if (room <= 0) return findOrInsert(reason, OTHERS, '')
      room--
      return Number(insert.get(...key)?.id)
    },
    add(id, { count, kept, firstMs, lastMs, sample }) {
      const latestMs = Number(select.get(id)?.last_received_at_ms)
      update.run(count, kept, firstMs, Math.max(latestMs, lastMs), id)
      // What comes back from a replay is seldom the latest.
      if (lastMs >= latestMs) updateSample.run(sample.detail, sample.topic, sample.payload, id)
    },
    keptOf: (id) => Number(select.get(id)?.kept),
    drop(entriesById) {
      for (const [id, entries] of entriesById) change.run(0, entries, id)
    },
    forget(entriesById, { keepEmpty }) {
      for (const [id, entries] of entriesById) {
        change.run(entries, entries, id)
        if (!keepEmpty) removeEmpty.run(id)
      }
    },
  }
}
