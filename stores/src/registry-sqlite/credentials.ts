import { AppError } from '@pulso/model'
import type { Credential, CredentialScope, CredentialsRegistry } from '../registry.ts'
import type { RegistryDatabase } from './database.ts'

interface CredentialRow {
  username: string
  secret_hash: string
  scope: string
  created_at_ms: number
}

export function createSqliteCredentials({ connection, run }: RegistryDatabase): CredentialsRegistry {
  const select = connection.prepare('SELECT * FROM credentials WHERE username = ?')
  const selectAll = connection.prepare('SELECT * FROM credentials ORDER BY username')
  const insert = connection.prepare(
    'INSERT INTO credentials VALUES (?, ?, ?, ?) ON CONFLICT (username) DO NOTHING',
  )
  const update = connection.prepare('UPDATE credentials SET secret_hash = ? WHERE username = ?')
  const remove = connection.prepare('DELETE FROM credentials WHERE username = ?')

  return {
    findCredential: (username) =>
      run(() => {
        const row = select.get(username) as CredentialRow | undefined
        return row && toCredential(row)
      }),
    addCredential: ({ username, secretHash, scope, createdAtMs }) =>
      run(() => {
        const { changes } = insert.run(username, secretHash, JSON.stringify(scope), createdAtMs)
        if (changes === 0) {
          throw new AppError('credential-exists', `There is a credential '${username}' already`, {
            status: 409,
          })
        }
      }),
    setSecret: (username, secretHash) =>
      run(() => {
        if (update.run(secretHash, username).changes === 0) {
          throw new AppError('unknown-credential', `There is no credential '${username}'`, { status: 404 })
        }
      }),
    removeCredential: (username) => run(() => remove.run(username).changes > 0),
    listCredentials: () => run(() => (selectAll.all() as unknown as CredentialRow[]).map(toCredential)),
  }
}

function toCredential({ username, secret_hash, scope, created_at_ms }: CredentialRow): Credential {
  return {
    username,
    secretHash: secret_hash,
    scope: JSON.parse(scope) as CredentialScope,
    createdAtMs: created_at_ms,
  }
}
