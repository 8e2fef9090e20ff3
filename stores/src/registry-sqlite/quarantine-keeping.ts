import { QUARANTINE_SAMPLE_BYTES, type QuarantineBounds } from '../limits.ts'
import type { QuarantineEntry } from '../registry.ts'
import type { QuarantineCounter, RegistryDatabase } from './database.ts'
import { createTotalRows, type TotalRows } from './quarantine-totals.ts'

/** Changes entries and their totals together; everything within a running transaction. */
export interface QuarantineKeeping {
  add(entries: readonly QuarantineEntry[]): void
  /** @returns how many there were */
  remove(ids: readonly number[]): number
}

/** The entries of one batch that count in the same row. */
interface Group {
  totalId: number
  entries: QuarantineEntry[]
  /** How many of them, the oldest, are more than the row may hold. */
  surplus: number
}

/** What a change does to the counters of the whole quarantine. */
type Tally = Record<QuarantineCounter, number>

interface Removed {
  id: number
  total_id: number
  bytes: number
}

export function createQuarantineKeeping(
  database: RegistryDatabase,
  { maxEntries, maxBytes, maxEntriesPerTotal, maxTotals }: QuarantineBounds,
): QuarantineKeeping {
  const { connection } = database
  const totals = createTotalRows(connection, maxTotals)
  const insert = connection.prepare(
    `INSERT INTO quarantine (received_at_ms, reason, detail, topic, sensor_id, metric, payload, total_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const RETURNING = 'RETURNING id, total_id, length(payload) AS bytes'
  const removeOne = connection.prepare(`DELETE FROM quarantine WHERE id = ? ${RETURNING}`)
  const removeSame = connection.prepare(
    `DELETE FROM quarantine WHERE total_id = ? AND received_at_ms = ? AND topic = ? AND payload = ? ${RETURNING}`,
  )
  const removeOldestOf = connection.prepare(
    `DELETE FROM quarantine WHERE id IN (SELECT id FROM quarantine WHERE total_id = ? ORDER BY id LIMIT ?) ${RETURNING}`,
  )
  const selectOldest = connection.prepare(
    'SELECT id, total_id, length(payload) AS bytes FROM quarantine ORDER BY id',
  )

  const settle = (removed: readonly Removed[], tally: Tally): void => {
    for (const { bytes } of removed) tally.quarantine_bytes -= bytes
    tally.quarantine_entries -= removed.length
  }
  const drop = (removed: readonly Removed[], tally: Tally): void => {
    settle(removed, tally)
    tally.quarantine_dropped += removed.length
    totals.drop(countByTotal(removed))
  }

  /** What comes back from a replay takes the place of the entry it was, should that be here still. */
  const takeBack = ({ totalId, entries }: Group, tally: Tally): void => {
    for (const { isReturned, receivedAtMs, topic, payload } of entries) {
      if (!isReturned) continue
      tally.quarantine_returned++
      const same = removeSame.all(totalId, receivedAtMs, topic, payload) as unknown as Removed[]
      settle(same, tally)
      totals.forget(countByTotal(same), { keepEmpty: true })
    }
  }

  /** The counters stand beside the entries: counting 100,000 of them at each batch would take too long. */
  const dropOldest = (tally: Tally): void => {
    let entries = database.counter('quarantine_entries') + tally.quarantine_entries
    let bytes = database.counter('quarantine_bytes') + tally.quarantine_bytes
    if (entries <= maxEntries && bytes <= maxBytes) return
    const oldest: Removed[] = []
    for (const row of selectOldest.iterate() as Iterable<unknown> as Iterable<Removed>) {
      oldest.push(row)
      entries--
      bytes -= row.bytes
      if (entries <= maxEntries && bytes <= maxBytes) break
    }
    for (const { id } of oldest) removeOne.all(id)
    drop(oldest, tally)
  }

  return {
    add(entries) {
      if (entries.length === 0) return
      const tally = createTally()
      const groupOf = group(entries, totals)
      const groups = new Set(groupOf)
      for (const one of groups) {
        takeBack(one, tally)
        one.surplus = Math.max(0, one.entries.length - maxEntriesPerTotal)
        tally.quarantine_dropped += one.surplus
        totals.add(one.totalId, toAddition(one))
      }
      // In the order of arrival, which is the order of the ids.
      for (const [index, one] of groupOf.entries()) {
        const entry = entries[index]
        if (!entry) continue
        if (one.surplus > 0) {
          one.surplus--
          continue
        }
        const { receivedAtMs, reason, detail, topic, sensorId, metric, payload } = entry
        insert.run(receivedAtMs, reason, detail, topic, sensorId, metric, payload, one.totalId)
        tally.quarantine_entries++
        tally.quarantine_bytes += payload.length
      }
      for (const { totalId } of groups) {
        const surplus = totals.keptOf(totalId) - maxEntriesPerTotal
        if (surplus > 0) drop(removeOldestOf.all(totalId, surplus) as unknown as Removed[], tally)
      }
      dropOldest(tally)
      write(database, tally)
    },
    remove(ids) {
      const tally = createTally()
      const removed = ids.flatMap((id) => removeOne.all(id) as unknown as Removed[])
      settle(removed, tally)
      totals.forget(countByTotal(removed), { keepEmpty: false })
      write(database, tally)
      return removed.length
    },
  }
}

function createTally(): Tally {
  return { quarantine_entries: 0, quarantine_bytes: 0, quarantine_dropped: 0, quarantine_returned: 0 }
}

function write(database: RegistryDatabase, tally: Tally): void {
  for (const [name, change] of Object.entries(tally) as [QuarantineCounter, number][]) {
    if (change !== 0) database.setCounter(name, database.counter(name) + change)
  }
}

/** Each entry's group; entries of many sensors may count in the same row. */
function group(entries: readonly QuarantineEntry[], totals: TotalRows): Group[] {
  const byTotal = new Map<number, Group>()
  const byKey = new Map<string, Group>()
  totals.begin()
  return entries.map((entry) => {
    const key = toKey(entry)
    let one = byKey.get(key)
    if (!one) {
      const totalId = totals.idFor(entry)
      one = byTotal.get(totalId) ?? { totalId, entries: [], surplus: 0 }
      byTotal.set(totalId, one)
      byKey.set(key, one)
    }
    one.entries.push(entry)
    return one
  })
}

function toKey({ reason, sensorId, metric }: QuarantineEntry): string {
  return `${reason}\n${sensorId ?? ''}\n${metric ?? ''}`
}

function toAddition({ entries, surplus }: Group) {
  let [firstMs, lastMs] = [Infinity, 0]
  for (const { receivedAtMs } of entries) {
    firstMs = Math.min(firstMs, receivedAtMs)
    lastMs = Math.max(lastMs, receivedAtMs)
  }
  const { detail = '', topic = '', payload = new Uint8Array() } = entries.at(-1) ?? {}
  const sample = { detail, topic, payload: payload.subarray(0, QUARANTINE_SAMPLE_BYTES) }
  return { count: entries.length, kept: entries.length - surplus, firstMs, lastMs, sample }
}

function countByTotal(removed: readonly Removed[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const { total_id: id } of removed) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}
