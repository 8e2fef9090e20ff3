import { stat } from 'node:fs/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import { DAY_MS, HOUR_MS, MINUTE_MS, type Kinds, type Resolution } from '@pulso/model'
import type { Rollups, SensorPlace } from '../rollups.ts'
import { createSerialQueue, type SerialQueue } from '../serial.ts'
import { measure, selectAggregates } from './measure.ts'
import { putPlaces } from './places.ts'
import { rollUp } from './roll-up.ts'
import { isStored, rollupTable } from './rollup-tables.ts'
import { tableOf, type Table } from './schema.ts'
import type { Session } from './session.ts'

export interface DuckdbRollupsOptions {
  kinds: Kinds
  /** Runs work on the open file, and gives its errors our names. */
  use: <T>(doing: string, work: (session: Session) => Promise<T>) => Promise<T>
  /** The one behind which batches wait. */
  writes: SerialQueue
  /** Throws when the readings are about to be closed. */
  goOn: () => void
}

export interface DuckdbRollups extends Rollups {
  /** Tells a session that is not in use yet where the sensors are. */
  prepare(session: Session): Promise<void>
  /** Behind what is under way, and before what comes next. */
  exclusively<T>(task: () => Promise<T>): Promise<T>
}

/** Of readings that are deleted at once: a batch waits no longer than that takes. */
const FORGET_SLICE_MS = 6 * HOUR_MS

/** No bucket is longer. */
const MAX_LENGTH_MS: Readonly<Record<Resolution, number>> = {
  '5m': 5 * MINUTE_MS,
  '1h': HOUR_MS,
  '1d': DAY_MS + HOUR_MS,
}

/**
 * Each sort of work has a connection and a queue of its own, so that ingest's batches and questions never wait for a
 * rollup. They write different tables: their transactions cannot meet.
 */
export function createDuckdbRollups({ kinds, use, writes, goOn }: DuckdbRollupsOptions): DuckdbRollups {
  const rolling = createSerialQueue()
  const measuring = createSerialQueue()
  const asking = createSerialQueue()
  const places = new Map<string, SensorPlace>()

  const forgetReadings = async (beforeMs: number): Promise<number> => {
    let count = 0
    for (const { id } of kinds.values()) {
      const deleteSlice = (): Promise<number | undefined> =>
        writes.run(() =>
          use('Cannot forget readings', (session) =>
            deleteOldest(session, tableOf(session.tables, kinds, id), beforeMs),
          ),
        )
      let deleted = await deleteSlice()
      while (deleted !== undefined) {
        count += deleted
        deleted = await deleteSlice()
      }
    }
    return count
  }

  const forgetAggregates = (resolution: Resolution, beforeMs: number): Promise<number> =>
    rolling.run(() =>
      use('Cannot forget aggregates', async ({ rolling: connection }) => {
        let count = 0
        for (const table of tablesOf(kinds, resolution)) {
          const result = await connection.run(
            `DELETE FROM ${table} WHERE time <= make_timestamp_ms(${Math.trunc(beforeMs) - MAX_LENGTH_MS[resolution]})`,
          )
          count += result.rowsChanged
        }
        return count
      }),
    )

  return {
    async putPlaces(changed) {
      for (const place of changed) places.set(place.sensorId, place)
      if (changed.length === 0) return
      await measuring.run(() =>
        use('Cannot keep where sensors are', ({ measuring: connection }) => putPlaces(connection, changed)),
      )
    },
    prepare: ({ measuring: connection }) => putPlaces(connection, [...places.values()]),
    rollUp: (plan) =>
      rolling.run(() =>
        use('Cannot roll readings up', ({ rolling: connection, tables }) =>
          rollUp({ connection, table: tableOf(tables, kinds, plan.kind), plan, goOn }),
        ),
      ),
    aggregates: (query) =>
      asking.run(() =>
        use('Cannot query aggregates', ({ asking: connection, tables }) =>
          selectAggregates(connection, tableOf(tables, kinds, query.kind).kind, query),
        ),
      ),
    measure: (query, nowMs) =>
      measuring.run(() =>
        use('Cannot measure aggregates', ({ measuring: connection, tables }) =>
          measure(connection, tableOf(tables, kinds, query.kind), { query, nowMs }),
        ),
      ),
    async forget(what, beforeMs) {
      const count = what === 'raw' ? await forgetReadings(beforeMs) : await forgetAggregates(what, beforeMs)
      // Only then its room can be used again.
      if (count > 0) await writes.run(() => rolling.run(() => use('Cannot tidy up the readings', checkpoint)))
      return count
    },
    oldestReadingMs: (kindId) =>
      asking.run(() =>
        use('Cannot look for the oldest reading', ({ asking: connection, tables }) =>
          selectOldest(connection, tableOf(tables, kinds, kindId)),
        ),
      ),
    sizes: () =>
      asking.run(() => use('Cannot measure the readings', (session) => selectSizes(session, kinds))),
    exclusively: (task) => rolling.run(() => measuring.run(() => asking.run(task))),
  }
}

/** @returns how many, `undefined` when there are none */
async function deleteOldest(
  { writer }: Session,
  table: Table,
  beforeMs: number,
): Promise<number | undefined> {
  const oldestMs = await selectOldest(writer, table)
  if (oldestMs === null || oldestMs >= beforeMs) return undefined
  const untilMs = Math.min(Math.trunc(beforeMs), oldestMs + FORGET_SLICE_MS)
  const result = await writer.run(`DELETE FROM ${table.name} WHERE time < make_timestamp_ms(${untilMs})`)
  return result.rowsChanged
}

async function selectOldest(connection: DuckDBConnection, { name }: Table): Promise<number | null> {
  const rows = (await connection.runAndReadAll(`SELECT epoch_ms(min(time)) FROM ${name}`)).getRows()
  const oldest = rows[0]?.[0]
  return oldest === null || oldest === undefined ? null : Number(oldest)
}

async function checkpoint({ writer }: Session): Promise<void> {
  await writer.run('CHECKPOINT')
}

async function selectSizes(
  { asking, tables, file }: Session,
  kinds: Kinds,
): Promise<Awaited<ReturnType<Rollups['sizes']>>> {
  const count = async (names: readonly string[]): Promise<number> => {
    let rows = 0
    for (const name of names) {
      const [row] = (await asking.runAndReadAll(`SELECT count(*) FROM ${name}`)).getRows()
      rows += Number(row?.[0])
    }
    return rows
  }
  const log = await stat(`${file}.wal`).catch(() => undefined)
  return {
    totalBytes: (await stat(file)).size + (log?.size ?? 0),
    rows: {
      raw: await count(Array.from(tables.values(), ({ name }) => name)),
      '5m': await count(tablesOf(kinds, '5m')),
      '1h': await count(tablesOf(kinds, '1h')),
      '1d': await count(tablesOf(kinds, '1d')),
    },
  }
}

function tablesOf(kinds: Kinds, resolution: Resolution): string[] {
  return [...kinds.values()].flatMap((kind) =>
    (['sensor', 'zone'] as const)
      .filter((scope) => isStored(resolution, scope))
      .map((scope) => rollupTable(kind, resolution, scope)),
  )
}
