import type { Socket } from 'node:net'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { badRequest, parseBbox, parseKinds } from '../http/query.ts'
import type { Line } from '../live/reader.ts'
import { answerAs, bboxParameter, kindParameter, problems, refTo } from './common.ts'

const CONFIG = { isPublic: true, isStream: true, cacheControl: 'no-store' }

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Proxies that gather answers would turn live into late.
  'x-accel-buffering': 'no',
}

export function liveRoutes(app: App, { options: { city, kinds }, feed, examples }: ApiContext): void {
  app.get(
    '/api/v1/live',
    {
      config: CONFIG,
      // One compressor per reader would cost more than everything else about it, and each event would be compressed anew.
      compress: false,
      exposeHeadRoute: false,
      schema: {
        tags: ['live'],
        summary: 'What changes, as it changes (Server-Sent Events)',
        description:
          'Begins with the event `snapshot`; then come `delta`s, at most four a second, whose sensors and zones ' +
          'replace what was known of them. Whoever reads slowly gets fewer of them, each with the last state of all ' +
          'that changed; who takes nothing for half a minute is let go. Coming back with `Last-Event-ID` continues ' +
          'with what was missed, or begins anew where that is no longer known. Each event’s data is a `LiveEvent` in ' +
          'JSON. A sensor that moves out of the box is told once more.',
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
          ...problems(400, 429, 503),
        },
      },
    },
    ({ query, headers, ip }, reply) => {
      const { socket } = reply.raw
      // Behind another answer on the same connection: nobody knows when its turn comes.
      if (!socket)
        throw badRequest(
          'pipelined-feed',
          'Open the live feed on a connection of its own, not behind other requests',
        )
      const wanted = parseKinds(query.kinds, kinds)
      const bbox = parseBbox(query.bbox, city)
      feed.open({
        filter: { ...(wanted && { kinds: wanted }), ...(bbox && { bbox }) },
        lastEventId: headers['last-event-id'],
        address: ip,
        begin: () => beginStream(reply, socket),
      })
    },
  )
  // What the answer would be like, without a feed that nobody reads.
  app.head('/api/v1/live', { config: CONFIG, schema: { hide: true } }, (_request, reply) =>
    reply.headers(HEADERS).send(),
  )
}

/**
 * Sends the answer's head and hands over its socket: from here on a delta costs its readers what writing the same bytes to
 * a plain socket costs.
 */
function beginStream(reply: FastifyReply, socket: Socket): Line {
  const { raw } = reply
  reply.hijack()
  // A feed ends with its connection.
  raw.shouldKeepAlive = false
  for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...HEADERS })) {
    if (value !== undefined) raw.setHeader(name, value)
  }
  raw.writeHead(200)
  raw.flushHeaders()
  return { socket, isChunked: raw.chunkedEncoding }
}
