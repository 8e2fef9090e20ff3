import { AppError, type Clock } from '@pulso/model'
import type { OperatorsRegistry } from '@pulso/stores'
import type { Secret } from './device.ts'
import { newPassword } from './secrets.ts'

export interface OperatorsAdministration {
  /** @throws AppError `invalid-operator`, `operator-exists` */
  addOperator(name: string): Promise<Secret>
  /** A new password for a known operator; open sessions end. @throws AppError `unknown-operator` */
  resetOperator(name: string): Promise<Secret>
  listOperators(): Promise<{ name: string; createdAtMs: number }[]>
  /** @throws AppError `unknown-operator` */
  removeOperator(name: string): Promise<{ name: string }>
}

export function createOperatorsAdministration(options: {
  registry: OperatorsRegistry
  clock: Clock
}): OperatorsAdministration {
  const { registry, clock } = options

  const setNewPassword = async (name: string): Promise<Secret> => {
    // The API's libraries take their time to load, and most starts make no password.
    const { hashPassword } = await import('@pulso/api')
    const password = newPassword()
    const createdAtMs = (await registry.getOperator(name))?.createdAtMs ?? clock.now()
    await registry.putOperator({ name, passwordHash: await hashPassword(password), createdAtMs })
    return { username: name, password }
  }

  return {
    async addOperator(name) {
      if (!/^[\p{L}\p{N}._@-]{1,64}$/u.test(name)) {
        throw new AppError(
          'invalid-operator',
          `'${name}' is not a usable name: letters, digits and . _ @ -, at most 64`,
        )
      }
      if (await registry.getOperator(name)) {
        throw new AppError(
          'operator-exists',
          `There is an operator '${name}' already; 'pulso operator reset ${name}' gives a new password`,
          { status: 409 },
        )
      }
      return setNewPassword(name)
    },
    async resetOperator(name) {
      if (!(await registry.getOperator(name))) throw unknownOperator(name)
      return setNewPassword(name)
    },
    async listOperators() {
      return (await registry.listOperators()).map(({ name, createdAtMs }) => ({ name, createdAtMs }))
    },
    async removeOperator(name) {
      if (!(await registry.removeOperator(name))) throw unknownOperator(name)
      return { name }
    },
  }
}

function unknownOperator(name: string): AppError {
  return new AppError(
    'unknown-operator',
    `There is no operator '${name}'; 'pulso operator list' shows those there are`,
    { status: 404 },
  )
}
