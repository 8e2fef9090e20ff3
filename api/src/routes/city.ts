import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { prepareBody, sendPrepared } from '../http/prepared.ts'
import { toCityView } from './city-view.ts'
import { answer, JSON_TYPE, problems } from './common.ts'

export function cityRoutes(app: App, { options, examples }: ApiContext): void {
  const { city, kinds, clockLimits } = options
  const body = prepareBody(JSON.stringify(toCityView({ city, kinds, clock: clockLimits })), JSON_TYPE)
  app.get(
    '/api/v1/city',
    {
      config: { isPublic: true, isPrepared: true },
      compress: false,
      schema: {
        tags: ['city'],
        summary: 'The city: its name, bounds, time zone, kinds of sensors and zones',
        description:
          'Everything a map needs to know before its first sensor. It changes only when the city’s file does.',
        response: {
          200: answer('CityView', { description: 'The city', example: examples.city }),
          ...problems(400, 429),
        },
      },
    },
    (request, reply) => sendPrepared(request, reply, body),
  )
}
