import { toAddressKey, toIsoTime, type SessionView } from '@pulso/model'
import type { OperatorSession } from '@pulso/stores'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { LoginThrottledError } from '../operators/login-throttle.ts'
import { answer, problems } from './common.ts'
import { EXAMPLE_MS } from './examples.ts'

export const SESSION_COOKIE = 'pulso_session'

const DEFAULT_OPERATOR = 'operator'

const Login = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 64, default: DEFAULT_OPERATOR, description: 'Who logs in' }),
    password: Type.String({ minLength: 1, maxLength: 1_024 }),
  },
  { examples: [{ name: DEFAULT_OPERATOR, password: 'as shown at the first start' }] },
)

const EXAMPLE: SessionView = { operator: DEFAULT_OPERATOR, expiresAt: toIsoTime(EXAMPLE_MS) }

export function sessionRoutes(app: App, { sessions, limits }: ApiContext): void {
  const config = { cacheControl: 'no-store' }
  const tags = ['operators']

  app.post(
    '/api/v1/session',
    {
      config,
      schema: {
        tags,
        summary: 'Log in',
        description: 'Sets the session’s cookie. Five tries a minute and address; then 429 with Retry-After.',
        body: Login,
        response: {
          200: answer('SessionView', { description: 'The session', example: EXAMPLE }),
          ...problems(400, 401, 403, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const { name, password } = request.body
      const { token, session } = await sessions
        .open({ name, password, address: toAddressKey(request.ip) })
        .catch((error: unknown) => {
          if (error instanceof LoginThrottledError) reply.header('retry-after', error.retryAfterSeconds)
          throw error
        })
      setCookie(request, reply, { value: token, maxAgeMs: limits.sessionMs })
      return toView(session)
    },
  )

  app.get(
    '/api/v1/session',
    {
      config,
      schema: {
        tags,
        summary: 'Whose session this is',
        description: 'Answers 401 without one.',
        security: [{ session: [] }],
        response: {
          200: answer('SessionView', { description: 'The session', example: EXAMPLE }),
          ...problems(401, 429, 503),
        },
      },
    },
    async (request) => toView(await sessions.require(request.cookies[SESSION_COOKIE])),
  )

  app.delete(
    '/api/v1/session',
    {
      config,
      schema: {
        tags,
        summary: 'Log out',
        description: 'Ends the session here and now; without one nothing happens.',
        security: [{ session: [] }],
        response: { 204: Type.Null({ description: 'No session any more' }), ...problems(403, 429, 503) },
      },
    },
    async (request, reply) => {
      await sessions.close(request.cookies[SESSION_COOKIE])
      setCookie(request, reply, { value: '', maxAgeMs: 0 })
      return reply.code(204).send(null)
    },
  )
}

/** The cookie goes to this site's own requests alone, and no script sees it. */
function setCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  { value, maxAgeMs }: { value: string; maxAgeMs: number },
): void {
  // Only a hint from a proxy: who forges it gets a cookie that their own browser sends over TLS alone.
  const isTls = request.protocol === 'https' || request.headers['x-forwarded-proto'] === 'https'
  reply.setCookie(SESSION_COOKIE, value, {
    path: '/',
    httpOnly: true,
    sameSite: 'strict',
    secure: isTls,
    maxAge: Math.floor(maxAgeMs / 1_000),
  })
}

function toView({ operator, expiresAtMs }: OperatorSession): SessionView {
  return { operator, expiresAt: toIsoTime(expiresAtMs) }
}
