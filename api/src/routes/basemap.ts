import { AppError } from '@pulso/model'
import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { toSchematic } from './city-view.ts'
import { answerAs, GEOJSON_TYPE, problems } from './common.ts'

const FOR_GOOD = 'public, max-age=31536000, immutable'

export function basemapRoutes(app: App, { options }: ApiContext): void {
  const schematic = toSchematic(options.city)
  app.get(
    '/basemap/schematic.json',
    {
      config: { isPublic: true },
      schema: {
        tags: ['city'],
        summary: 'The city drawn in lines and areas, as GeoJSON',
        description:
          'Land, water, parks, streets and places in painting order (`properties.layer`). With the city’s ' +
          '`basemapVersion` as `v` it may be kept for good.',
        querystring: Type.Object({
          v: Type.Optional(
            Type.String({
              description: '`basemapVersion` of /api/v1/city',
              examples: [schematic?.version ?? ''],
            }),
          ),
        }),
        response: {
          200: answerAs(GEOJSON_TYPE, {
            schema: Type.Object({
              type: Type.Literal('FeatureCollection'),
              features: Type.Array(Type.Unknown()),
            }),
            description: 'The drawing',
            example: { type: 'FeatureCollection', features: [] },
          }),
          ...problems(404, 429),
        },
      },
    },
    ({ query }, reply) => {
      if (!schematic) throw new AppError('no-basemap', 'The city’s file draws no schematic', { status: 404 })
      if (query.v === schematic.version) reply.header('cache-control', FOR_GOOD)
      return reply.type(GEOJSON_TYPE).send(schematic.json)
    },
  )
}
