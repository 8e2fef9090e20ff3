import { Type, type Static, type TSchema } from 'typebox'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { answerAs, JSON_TYPE } from './common.ts'

const LiveView = Type.Object({ status: Type.Literal('ok') })

const ReadyView = Type.Object({
  status: Type.Enum(['ok', 'failing']),
  checks: Type.Array(
    Type.Object({
      name: Type.String(),
      driver: Type.String(),
      ok: Type.Boolean(),
      detail: Type.Optional(
        Type.Record(Type.String(), Type.Union([Type.Number(), Type.Boolean(), Type.Null()]), {
          description: 'What it says of itself: the journal’s depth, age and whether it is full',
        }),
      ),
    }),
  ),
})
type ReadyView = Static<typeof ReadyView>

export function healthRoutes(app: App, { checks }: ApiContext): void {
  app.get(
    '/health/live',
    {
      config: { cacheControl: 'no-store', takesAnyParameter: true },
      schema: {
        tags: ['operation'],
        summary: 'The process answers',
        description: 'For a watchdog: restart the process when this does not answer.',
        response: {
          200: answerAs(JSON_TYPE, { schema: LiveView, description: 'It does', example: { status: 'ok' } }),
        },
      },
    },
    () => ({ status: 'ok' }),
  )

  app.get(
    '/health/ready',
    {
      config: { cacheControl: 'no-store', takesAnyParameter: true },
      schema: {
        tags: ['operation'],
        summary: 'Every dependency answers',
        description:
          'For a load balancer. Why one fails stands in the log and on the operators’ page, not here.',
        response: {
          200: toReadyAnswer('All answer', true),
          503: toReadyAnswer('At least one does not', false),
        },
      },
    },
    async (_request, reply): Promise<ReadyView> => {
      const results = await checks.run()
      const isReady = results.every(({ ok }) => ok)
      reply.code(isReady ? 200 : 503)
      return {
        status: isReady ? 'ok' : 'failing',
        checks: results.map(({ name, driver, ok, facts }) => ({
          name,
          driver,
          ok,
          ...(facts && { detail: facts }),
        })),
      }
    },
  )
}

function toReadyAnswer(description: string, ok: boolean): TSchema {
  const example: ReadyView = {
    status: ok ? 'ok' : 'failing',
    checks: [
      { name: 'registry', driver: 'sqlite', ok },
      { name: 'journal', driver: 'sqlite', ok: true, detail: { depth: 12, oldestAgeMs: 180, full: false } },
    ],
  }
  return answerAs(JSON_TYPE, { schema: ReadyView, description, example })
}
