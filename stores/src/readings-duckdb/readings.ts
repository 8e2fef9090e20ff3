import { AppError, type Kinds, type MetricValue } from '@pulso/model'
import { requireMetric } from '../readings-checks.ts'
import type { HistoryQuery, Readings, ReadingsBatch } from '../readings.ts'
import { createSerialQueue } from '../serial.ts'
import { openDuckdbExport } from './export.ts'
import { deleteKeys, findKeys } from './keys.ts'
import { createDuckdbRollups } from './rollups.ts'
import { appendReadings, toMs, toTimestamp } from './rows.ts'
import { tableOf } from './schema.ts'
import { isInvalidated, openSession, toReadingsError, type Mending, type Session } from './session.ts'
import { openDuckdbSnapshot } from './snapshot.ts'
import { quoteIdentifier } from './sql.ts'

export interface DuckdbReadingsOptions {
  file: string
  kinds: Kinds
  /** What DuckDB may take for itself, in its own words. */
  memoryLimit?: string
  mending?: Mending
}

/**
 * Readings in one DuckDB file, a table per kind. A batch and the journal's position are one transaction.
 * @throws AppError `readings-locked`, `readings-too-new`, `readings-schema-conflict`, `readings-unavailable`
 */
export async function openDuckdbReadings({
  file,
  kinds,
  memoryLimit = '1GB',
  mending,
}: DuckdbReadingsOptions): Promise<Readings> {
  return createDuckdbReadings({ kinds, open: () => openSession({ file, kinds, memoryLimit, mending }) })
}

/** Not for other parts: `open` is a test's way to the connections. */
export async function createDuckdbReadings({
  kinds,
  open,
}: {
  kinds: Kinds
  open: () => Promise<Session>
}): Promise<Readings> {
  let session: Session | undefined = await open()
  let reopening: Promise<Session> | undefined
  let isClosed = false
  const writes = createSerialQueue()
  const queries = createSerialQueue()
  const holders = new Set<Promise<Holder>>()

  /** Once only, also for two that ask at the same time: DuckDB would not notice the file being open twice. */
  const reopen = (closed?: Promise<void>): Promise<Session> => {
    const again = async (): Promise<Session> => {
      await closed
      const opened = await open()
      await rollups.prepare(opened)
      return (session = opened)
    }
    reopening ??= again().finally(() => (reopening = undefined))
    return reopening
  }

  /** A snapshot or an export keeps the file open: a second session beside it would not know of the first. */
  const closeSession = async (closing: Session): Promise<void> => {
    await Promise.allSettled(Array.from(holders, async (opening) => (await opening).close()))
    closing.close()
  }

  const goOn = (): void => {
    if (isClosed) throw new AppError('readings-unavailable', 'The readings are closed')
  }

  const use = async <T>(doing: string, work: (session: Session) => Promise<T>): Promise<T> => {
    goOn()
    try {
      return await work(session ?? (await reopen()))
    } catch (error) {
      // A broken session that cannot even be closed: opening the next one says what is wrong.
      if (isInvalidated(error)) reset(session).catch(() => undefined)
      throw toReadingsError(doing, error)
    }
  }

  const rollups = createDuckdbRollups({ kinds, use, writes, goOn })

  /** Behind what is under way on all connections, and before what comes next. */
  const reset = (broken: Session | undefined): Promise<void> =>
    writes.run(() =>
      queries.run(() =>
        rollups.exclusively(async () => {
          if (!broken || session !== broken) return
          session = undefined
          await reopen(closeSession(broken))
        }),
      ),
    )

  const query = <T>(work: (session: Session) => Promise<T>): Promise<T> =>
    queries.run(() => use('Cannot query readings', work))

  /** Opens something on a connection of its own, which is closed before the session is. */
  const hold = <T extends Holder>(doing: string, work: (session: Session) => Promise<T>): Promise<T> => {
    const opening = use(doing, async (current): Promise<T> => {
      const inner = await work(current)
      const close = async (): Promise<void> => {
        holders.delete(opening)
        await inner.close()
      }
      return { ...inner, close }
    })
    holders.add(opening)
    opening.catch(() => holders.delete(opening))
    return opening
  }

  return {
    driver: 'duckdb',
    write: (batch) =>
      writes.run(() => use('Cannot keep readings', (current) => writeBatch(current, kinds, batch))),
    position: () => query(({ queries: connection }) => selectPosition(connection)),
    find: (kindId, keys) =>
      query(({ queries: connection, tables }) => findKeys(connection, tableOf(tables, kinds, kindId), keys)),
    history: (request) => query((current) => selectHistory(current, kinds, request)),
    check: () =>
      query(async ({ queries: connection }) => {
        await selectPosition(connection)
      }),
    // Not behind other queries: the journal is held while a backup waits for it.
    snapshot: () =>
      hold('Cannot take a snapshot of the readings', async (current) =>
        openDuckdbSnapshot(await current.connect(), current.database),
      ),
    openExport: (request) =>
      hold('Cannot take readings out', async (current) => {
        const table = tableOf(current.tables, kinds, request.kind)
        return openDuckdbExport(await current.connect(), { table, query: request })
      }),
    rollups,
    async close() {
      isClosed = true
      // What is left out comes again with the next start.
      for (const connection of [session?.rolling, session?.measuring]) connection?.interrupt()
      await writes.idle()
      await queries.idle()
      await rollups.exclusively(async () => undefined)
      await reopening?.catch(() => undefined)
      if (session) await closeSession(session)
      session = undefined
    },
  }
}

interface Holder {
  close(): Promise<void>
}

async function writeBatch(
  { writer, tables }: Session,
  kinds: Kinds,
  { inserts, replacements, position }: ReadingsBatch,
): Promise<void> {
  await writer.run('BEGIN TRANSACTION')
  try {
    // A batch that is there already comes again when its acknowledgement was lost: inserts would double.
    if (position > 0 && position <= (await selectPosition(writer))) {
      await writer.run('ROLLBACK')
      return
    }
    for (const [kindId, readings] of replacements) {
      await deleteKeys(writer, tableOf(tables, kinds, kindId), readings)
    }
    for (const batch of [replacements, inserts]) {
      for (const [kindId, readings] of batch) {
        if (readings.length === 0) continue
        const table = tableOf(tables, kinds, kindId)
        const appender = await writer.createAppender(kindId, 'main')
        try {
          appendReadings(appender, table, readings)
        } finally {
          appender.closeSync()
        }
      }
    }
    await writer.run(`UPDATE pulso.meta SET position = ${position}`)
    await writer.run('COMMIT')
  } catch (error) {
    // A failed COMMIT has rolled back by itself.
    await writer.run('ROLLBACK').catch(() => undefined)
    throw error
  }
}

async function selectPosition(connection: Session['writer']): Promise<number> {
  const rows = (await connection.runAndReadAll('SELECT position FROM pulso.meta')).getRows()
  return Number(rows[0]?.[0] ?? 0)
}

async function selectHistory(
  { queries, tables }: Session,
  kinds: Kinds,
  { kind: kindId, sensorId, metric, fromMs, toMs: untilMs, limit }: HistoryQuery,
): Promise<Awaited<ReturnType<Readings['history']>>> {
  const { kind, name } = tableOf(tables, kinds, kindId)
  requireMetric(kind, metric)
  const column = quoteIdentifier(metric)
  const result = await queries.runAndReadAll(
    `SELECT time, ${column} FROM ${name}
     WHERE sensor_id = $sensorId AND time BETWEEN $from AND $until AND ${column} IS NOT NULL
     ORDER BY time DESC LIMIT ${Math.max(0, Math.trunc(limit)) + 1}`,
    { sensorId, from: toTimestamp(fromMs), until: toTimestamp(untilMs) },
  )
  const rows = result.getRows()
  const points = rows
    .slice(0, limit)
    .reverse()
    .map(([time, value]) => ({ timeMs: toMs(time), value: value as MetricValue }))
  return { points, truncated: rows.length > limit }
}
