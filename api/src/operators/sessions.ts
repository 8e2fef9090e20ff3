import { AppError, type Clock } from '@pulso/model'
import { hashSecret, type OperatorSession, type OperatorsRegistry } from '@pulso/stores'
import type { ApiLimits } from '../limits.ts'
import type { ApiMetrics } from '../metrics.ts'
import { createLoginThrottle } from './login-throttle.ts'
import { verifyPassword } from './password.ts'

const TOKEN_BYTES = 32
/** Base64url of the token, nothing else is looked up. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/

export interface SessionsOptions {
  registry: OperatorsRegistry
  clock: Clock
  limits: ApiLimits
  metrics: ApiMetrics
  randomBytes: (size: number) => Buffer
}

export interface Sessions {
  /**
   * @throws AppError `wrong-credentials` (401), `too-many-logins` (429)
   */
  open(login: {
    name: string
    password: string
    address: string
  }): Promise<{ token: string; session: OperatorSession }>
  /** @throws AppError `no-session` (401) */
  require(token: string | undefined): Promise<OperatorSession>
  close(token: string | undefined): Promise<void>
  removeExpired(): Promise<number>
}

/** Operators' sessions. The cookie holds a random token, the registry only its hash: a stolen registry opens nothing. */
export function createSessions({ registry, clock, limits, metrics, randomBytes }: SessionsOptions): Sessions {
  const throttle = createLoginThrottle({
    clock,
    perAddress: limits.loginsPerMinute,
    overall: limits.allLoginsPerMinute,
  })

  const countTry = (address: string): void => {
    try {
      throttle.countTry(address)
    } catch (error) {
      metrics.loginFailures.inc({ reason: 'throttled' })
      throw error
    }
  }

  return {
    async open({ name, password, address }) {
      countTry(address)
      const operator = await registry.getOperator(name)
      const isRight = await verifyPassword(password, operator?.passwordHash)
      if (!operator || !isRight) {
        metrics.loginFailures.inc({ reason: 'wrong-credentials' })
        throw new AppError('wrong-credentials', 'The name or the password is wrong', { status: 401 })
      }
      throttle.forgive(address)
      const token = randomBytes(TOKEN_BYTES).toString('base64url')
      const session = {
        tokenHash: hashSecret(token),
        operator: operator.name,
        expiresAtMs: clock.now() + limits.sessionMs,
      }
      await registry.addSession(session)
      return { token, session }
    },
    async require(token) {
      const session =
        token !== undefined && TOKEN.test(token)
          ? await registry.findSession(hashSecret(token), clock.now())
          : undefined
      if (!session)
        throw new AppError('no-session', 'Log in first: POST /api/v1/session with the password', {
          status: 401,
        })
      return session
    },
    async close(token) {
      if (token !== undefined && TOKEN.test(token)) await registry.removeSession(hashSecret(token))
    },
    removeExpired: () => registry.removeExpiredSessions(clock.now()),
  }
}
