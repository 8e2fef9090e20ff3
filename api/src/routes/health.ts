import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'

const LiveView = Type.Object({ status: Type.Literal('ok') })

const ReadyView = Type.Object({
  status: Type.Enum(['ok', 'failing']),
  checks: Type.Array(Type.Object({ name: Type.String(), driver: Type.String(), ok: Type.Boolean() })),
})

export function healthRoutes(app: App, { checks }: ApiContext): void {
  app.get(
    '/health/live',
    {
      config: { cacheControl: 'no-store' },
      schema: {
        tags: ['operation'],
        summary: 'The process answers',
        description: 'For a watchdog: restart the process when this does not answer.',
        response: { 200: LiveView },
      },
    },
    () => ({ status: 'ok' as const }),
  )

  app.get(
    '/health/ready',
    {
      config: { cacheControl: 'no-store' },
      schema: {
        tags: ['operation'],
        summary: 'Every dependency answers',
        description:
          'For a load balancer. Why one fails stands in the log and on the operators’ page, not here.',
        response: {
          200: { description: 'All answer', ...ReadyView },
          503: { description: 'At least one does not', ...ReadyView },
        },
      },
    },
    async (_request, reply) => {
      const results = await checks.run()
      const isReady = results.every(({ ok }) => ok)
      reply.code(isReady ? 200 : 503)
      return {
        status: isReady ? ('ok' as const) : ('failing' as const),
        checks: results.map(({ name, driver, ok }) => ({ name, driver, ok })),
      }
    },
  )
}
