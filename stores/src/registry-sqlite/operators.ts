import { AppError } from '@pulso/model'
import type { Operator, OperatorSession, OperatorsRegistry } from '../registry.ts'
import type { RegistryDatabase } from './database.ts'

interface OperatorRow {
  name: string
  password_hash: string
  created_at_ms: number
}

interface SessionRow {
  token_hash: string
  operator: string
  expires_at_ms: number
}

export function createSqliteOperators({ connection, run, transact }: RegistryDatabase): OperatorsRegistry {
  const select = connection.prepare('SELECT * FROM operators WHERE name = ?')
  const selectAll = connection.prepare('SELECT * FROM operators ORDER BY name')
  const remove = connection.prepare('DELETE FROM operators WHERE name = ?')
  const insert = connection.prepare('INSERT INTO operators VALUES (?, ?, ?)')
  const insertSession = connection.prepare('INSERT INTO sessions VALUES (?, ?, ?)')
  const selectSession = connection.prepare(
    'SELECT * FROM sessions WHERE token_hash = ? AND expires_at_ms > ?',
  )
  const removeSession = connection.prepare('DELETE FROM sessions WHERE token_hash = ?')
  const removeExpired = connection.prepare('DELETE FROM sessions WHERE expires_at_ms <= ?')

  return {
    getOperator: (name) =>
      run(() => {
        const row = select.get(name) as OperatorRow | undefined
        return row && toOperator(row)
      }),
    listOperators: () => run(() => (selectAll.all() as unknown as OperatorRow[]).map(toOperator)),
    putOperator: ({ name, passwordHash, createdAtMs }) =>
      // Removing first takes the sessions along.
      transact(() => {
        remove.run(name)
        insert.run(name, passwordHash, createdAtMs)
      }),
    removeOperator: (name) => run(() => remove.run(name).changes > 0),
    addSession: ({ tokenHash, operator, expiresAtMs }) =>
      transact(() => {
        if (!select.get(operator)) {
          throw new AppError('unknown-operator', `There is no operator '${operator}'`, { status: 404 })
        }
        insertSession.run(tokenHash, operator, expiresAtMs)
      }),
    findSession: (tokenHash, nowMs) =>
      run(() => {
        const row = selectSession.get(tokenHash, nowMs) as SessionRow | undefined
        return row && toSession(row)
      }),
    removeSession: (tokenHash) => run(() => void removeSession.run(tokenHash)),
    removeExpiredSessions: (nowMs) => run(() => Number(removeExpired.run(nowMs).changes)),
  }
}

function toOperator({ name, password_hash, created_at_ms }: OperatorRow): Operator {
  return { name, passwordHash: password_hash, createdAtMs: created_at_ms }
}

function toSession({ token_hash, operator, expires_at_ms }: SessionRow): OperatorSession {
  return { tokenHash: token_hash, operator, expiresAtMs: expires_at_ms }
}
