import type { DueHour, RollupMark, RollupsRegistry } from '../registry.ts'
import type { RegistryDatabase } from './database.ts'

export interface SqliteRollups extends RollupsRegistry {
  /** `addDueHours` within a running transaction. */
  addWithin: (hours: readonly DueHour[]) => void
}

export function createSqliteRollups({ connection, run, transact }: RegistryDatabase): SqliteRollups {
  const selectMarks = connection.prepare('SELECT kind, what, until_ms FROM rollup_marks')
  const putMark = connection.prepare(
    'INSERT INTO rollup_marks VALUES (?, ?, ?) ON CONFLICT (kind, what) DO UPDATE SET until_ms = excluded.until_ms',
  )
  const selectHours = connection.prepare('SELECT kind, hour_ms, position FROM due_hours')
  const addHour = connection.prepare(
    `INSERT INTO due_hours VALUES (?, ?, ?)
     ON CONFLICT (kind, hour_ms) DO UPDATE SET position = max(position, excluded.position)`,
  )
  const removeHour = connection.prepare(
    'DELETE FROM due_hours WHERE kind = ? AND hour_ms = ? AND position <= ?',
  )

  const addWithin: SqliteRollups['addWithin'] = (hours) => {
    for (const { kind, hourMs, position } of hours) addHour.run(kind, hourMs, position)
  }

  return {
    listRollupMarks: () =>
      run(() =>
        selectMarks.all().map((row) => ({
          kind: String(row.kind),
          what: String(row.what) as RollupMark['what'],
          untilMs: Number(row.until_ms),
        })),
      ),
    putRollupMark: ({ kind, what, untilMs }) => run(() => void putMark.run(kind, what, untilMs)),
    listDueHours: () =>
      run(() =>
        selectHours.all().map((row) => ({
          kind: String(row.kind),
          hourMs: Number(row.hour_ms),
          position: Number(row.position),
        })),
      ),
    addDueHours: (hours) => transact(() => addWithin(hours)),
    addWithin,
    removeDueHours: (hours) =>
      transact(() => {
        for (const { kind, hourMs, position } of hours) removeHour.run(kind, hourMs, position)
      }),
  }
}
