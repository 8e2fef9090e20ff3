import type { TestContext } from 'node:test'
import type { Problem } from '@pulso/model'
import { hashPassword } from '../src/index.ts'
import { createTestApi, NOON_MS, type Answer, type TestApi } from './helper.ts'

export type Headers = Record<string, string>
type Options = Parameters<typeof createTestApi>[1]

export const PASSWORD = 'correct horse'
export const codeOf = ({ body }: Answer): string => (body as Problem).code

export interface OperatorApi extends TestApi {
  login(body?: object, headers?: Headers): Promise<Answer>
}

/** An API with one operator. */
export async function createOperatorApi(t: TestContext, options: Options = {}): Promise<OperatorApi> {
  const testApi = await createTestApi(t, options)
  await testApi.registry.putOperator({
    name: 'operator',
    passwordHash: await hashPassword(PASSWORD),
    createdAtMs: NOON_MS,
  })
  return {
    ...testApi,
    login: (body = { password: PASSWORD }, headers: Headers = {}) =>
      testApi.post('/api/v1/session', body, headers),
  }
}

export function toCookie({ headers }: Answer): string {
  return String(headers['set-cookie']).split(';', 1)[0] ?? ''
}

export interface LoggedInApi extends OperatorApi {
  ask(path: string): Promise<Answer>
  tell(path: string, body: object, headers?: Headers): Promise<Answer>
}

/** The same with the operator's session. */
export async function createLoggedIn(t: TestContext, options: Options = {}): Promise<LoggedInApi> {
  const operatorApi = await createOperatorApi(t, options)
  const cookie = toCookie(await operatorApi.login())
  return {
    ...operatorApi,
    ask: (path) => operatorApi.get(`/api/v1/ops/${path}`, { cookie }),
    tell: (path, body, headers = {}) => operatorApi.post(`/api/v1/ops/${path}`, body, { cookie, ...headers }),
  }
}
