import { toIsoTime, type ZonesView } from '@pulso/model'
import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { parseKinds } from '../http/query.ts'
import { answer, kindParameter, problems } from './common.ts'

export function zonesRoutes(app: App, { options: { kinds }, current, examples }: ApiContext): void {
  app.get(
    '/api/v1/zones',
    {
      config: { isPublic: true },
      schema: {
        tags: ['city'],
        summary: 'Each zone’s sensors summed up by kind, and the whole city’s',
        description:
          'Counts by state and freshness, and the figures that the kind names. `time` is when anything last changed. ' +
          'Sensors outside every zone count only in the city’s sums.',
        querystring: Type.Object({ kind: Type.Optional(kindParameter(kinds)) }),
        response: {
          200: answer('ZonesView', { description: 'The sums', example: examples.zones }),
          ...problems(400, 429),
        },
      },
    },
    ({ query }) => {
      const wanted = parseKinds(query.kind, kinds)
      const { zones, city } = current.groups()
      const toViews = (groups: typeof zones): ZonesView['zones'] =>
        groups.filter(({ kind }) => wanted?.has(kind.id) ?? true).map(({ view }) => view)
      return { time: toIsoTime(current.changedAtMs), zones: toViews(zones), city: toViews(city) }
    },
  )
}
