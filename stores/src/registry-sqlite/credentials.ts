import { AppError } from '@pulso/model'
import type { Credential, CredentialAccess, CredentialScope, CredentialsRegistry } from '../registry.ts'
import type { RegistryDatabase } from './database.ts'

interface CredentialRow {
  username: string
  access: string
  secret_hash: string | null
  previous_hash: string | null
  previous_until_ms: number | null
  scope: string
  created_at_ms: number
}

export interface SqliteCredentials extends CredentialsRegistry {
  /** `addCredential` within a running transaction. */
  addWithin: (credential: Credential) => void
}

export function createSqliteCredentials({ connection, run, transact }: RegistryDatabase): SqliteCredentials {
  const select = connection.prepare('SELECT * FROM credentials WHERE username = ?')
  const selectToken = connection.prepare(
    "SELECT * FROM credentials WHERE access = 'token' AND (secret_hash = ?1 OR previous_hash = ?1)",
  )
  const selectAll = connection.prepare('SELECT * FROM credentials ORDER BY username')
  const insert = connection.prepare(
    'INSERT INTO credentials VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (username) DO NOTHING',
  )
  const update = connection.prepare(
    `UPDATE credentials SET secret_hash = :secret, previous_until_ms = :until,
       previous_hash = CASE WHEN :until IS NULL THEN NULL ELSE secret_hash END
     WHERE username = :username`,
  )
  const remove = connection.prepare('DELETE FROM credentials WHERE username = ?')
  const find = (statement: typeof select, key: string): Promise<Credential | undefined> =>
    run(() => {
      const row = statement.get(key) as CredentialRow | undefined
      return row && toCredential(row)
    })

  const addWithin: SqliteCredentials['addWithin'] = (credential) => {
    const { username, access, secretHash, previous, scope, createdAtMs } = credential
    // Two devices with one token would be one device to the broker.
    if (access === 'token' && secretHash !== null && selectToken.get(secretHash)) {
      throw new AppError('token-taken', `The token of '${username}' is another device's already`, {
        status: 409,
      })
    }
    const before = [previous?.secretHash ?? null, previous?.untilMs ?? null]
    const row = [username, access, secretHash, ...before, JSON.stringify(scope), createdAtMs]
    if (insert.run(...row).changes > 0) return
    throw new AppError('credential-exists', `There is a credential '${username}' already`, { status: 409 })
  }

  return {
    findCredential: (username) => find(select, username),
    findToken: (secretHash) => find(selectToken, secretHash),
    addCredential: (credential) => transact(() => addWithin(credential)),
    addWithin,
    setSecret: (username, secretHash, previousUntilMs) =>
      run(() => {
        const { changes } = update.run({ secret: secretHash, until: previousUntilMs ?? null, username })
        if (changes === 0) {
          throw new AppError('unknown-credential', `There is no credential '${username}'`, { status: 404 })
        }
      }),
    removeCredential: (username) => run(() => remove.run(username).changes > 0),
    listCredentials: () => run(() => (selectAll.all() as unknown as CredentialRow[]).map(toCredential)),
  }
}

function toCredential(row: CredentialRow): Credential {
  const { username, access, secret_hash, previous_hash, previous_until_ms, scope, created_at_ms } = row
  const hasPrevious = previous_hash !== null && previous_until_ms !== null
  return {
    username,
    access: access as CredentialAccess,
    secretHash: secret_hash,
    previous: hasPrevious ? { secretHash: previous_hash, untilMs: previous_until_ms } : null,
    scope: JSON.parse(scope) as CredentialScope,
    createdAtMs: created_at_ms,
  }
}
