import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { parseBbox, parseKinds } from '../http/query.ts'
import { answerAs, bboxParameter, kindParameter, problems, refTo } from './common.ts'

export function liveRoutes(app: App, { options: { city, kinds }, feed, examples }: ApiContext): void {
  app.get(
    '/api/v1/live',
    {
      config: { isPublic: true, isStream: true, rateLimit: false, cacheControl: 'no-store' },
      compress: false,
      // It would answer a HEAD with a feed that nobody reads.
      exposeHeadRoute: false,
      schema: {
        tags: ['live'],
        summary: 'What changes, as it changes (Server-Sent Events)',
        description:
          'Begins with the event `snapshot`; then come `delta`s, at most four a second, whose sensors and zones ' +
          'replace what was known of them. Coming back with `Last-Event-ID` continues with what was missed. ' +
          'Each event’s data is a `LiveEvent` in JSON.',
        querystring: Type.Object({
          kinds: Type.Optional(kindParameter(kinds)),
          bbox: Type.Optional(bboxParameter(city)),
        }),
        headers: Type.Object({
          'last-event-id': Type.Optional(
            Type.String({ description: 'The last event’s id; browsers send it themselves' }),
          ),
        }),
        response: {
          200: answerAs('text/event-stream', {
            schema: refTo('LiveEvent'),
            description: 'A stream of events; the schema is that of their data',
            example: examples.live,
          }),
          ...problems(400, 503),
        },
      },
    },
    ({ query, headers }, reply) => {
      const wanted = parseKinds(query.kinds, kinds)
      const bbox = parseBbox(query.bbox, city)
      const stream = feed.open({
        filter: { ...(wanted && { kinds: wanted }), ...(bbox && { bbox }) },
        lastEventId: headers['last-event-id'],
      })
      // Proxies that gather answers would turn live into late.
      reply.header('x-accel-buffering', 'no').type('text/event-stream; charset=utf-8')
      return reply.send(stream)
    },
  )
}
