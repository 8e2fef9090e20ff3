import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { answerAs } from './common.ts'

const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export function metricsRoutes(app: App, { options }: ApiContext): void {
  app.get(
    '/metrics',
    {
      config: { cacheControl: 'no-store', takesAnyParameter: true },
      schema: {
        tags: ['operation'],
        summary: 'Metrics for Prometheus',
        description: 'Every part of this process: messages, readings, journal, live readers, durations.',
        response: {
          200: answerAs('text/plain', {
            schema: Type.String(),
            description: 'Prometheus’ text format',
            example: '# TYPE pulso_live_clients gauge\npulso_live_clients 3\n',
          }),
        },
      },
    },
    async (_request, reply) => reply.type(PROMETHEUS_TYPE).send(await options.metricsText()),
  )
}
