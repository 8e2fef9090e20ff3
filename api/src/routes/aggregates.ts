import { AppError, clip } from '@pulso/model'
import { Type } from 'typebox'
import { toBucket, toCacheControl } from '../aggregates/buckets.ts'
import { AGGREGATES_QUERY, parseWish } from '../aggregates/question.ts'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { badRequest } from '../http/query.ts'
import { answer, problems } from './common.ts'

export function aggregatesRoutes(app: App, { options, examples }: ApiContext): void {
  const { aggregates, city, clock, kinds } = options
  app.get(
    '/api/v1/aggregates/:kind',
    {
      config: { isPublic: true },
      schema: {
        tags: ['city'],
        summary: 'A zone or the city over time',
        description:
          'One metric of all sensors of a kind in a zone or in the city, in buckets: their number of readings, least, ' +
          'greatest, mean, last, what a counter rose by, or which share of the time they were in each state. Hours and ' +
          'days are the city’s, also where the clocks change. Exact at any time: late readings count at once. At most ' +
          '14 days in steps of `5m`, 200 days of `1h`, five years of `1d`.',
        params: Type.Object({
          kind: Type.String({ description: 'The kind’s id', examples: [...kinds.keys()].slice(0, 1) }),
        }),
        querystring: Type.Object({
          ...AGGREGATES_QUERY,
          zone: Type.Optional(Type.String({ description: 'The zone’s id; the whole city when absent' })),
        }),
        response: {
          200: answer('AggregatesView', { description: 'The buckets', example: examples.aggregates }),
          ...problems(400, 404, 429, 503),
        },
      },
    },
    async ({ params, query }, reply) => {
      const kind = kinds.get(params.kind)
      if (!kind)
        throw new AppError(
          'unknown-kind',
          `There is no kind '${clip(params.kind)}' here; there are ${[...kinds.keys()].join(', ')}`,
          { status: 404 },
        )
      const { zone } = query
      if (zone !== undefined && !city.zones.some(({ id }) => id === zone))
        throw badRequest('unknown-zone', `There is no zone '${clip(zone)}' here; /api/v1/city lists them`)
      const { metric, fn, step, fromMs, toMs } = parseWish(kind, query, clock.now())
      const buckets = await aggregates.aggregates({
        kind: kind.id,
        scope: zone === undefined ? 'city' : 'zone',
        id: zone ?? '',
        metric,
        resolution: step,
        fromMs,
        toMs,
      })
      const wanted = { metric, fn, definition: kind.metrics[metric] }
      void reply.header('cache-control', toCacheControl(buckets, clock.now()))
      return {
        kind: kind.id,
        metric,
        zone: zone ?? null,
        step,
        fn,
        timeZone: city.timeZone,
        buckets: buckets.map((bucket) => toBucket(bucket, wanted)),
      }
    },
  )
}
