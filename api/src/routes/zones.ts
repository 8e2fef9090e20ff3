import { toIsoTime } from '@pulso/model'
import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import type { CurrentState } from '../current/current-state.ts'
import type { Group } from '../current/groups.ts'
import type { App } from '../http/app.ts'
import { createTickBodies, sendPrepared } from '../http/prepared.ts'
import { parseKinds } from '../http/query.ts'
import { answer, JSON_TYPE, kindParameter, problems } from './common.ts'

export function zonesRoutes(app: App, { options: { kinds }, current, examples }: ApiContext): void {
  const bodies = createTickBodies({ sequence: () => current.sequence, type: JSON_TYPE })
  app.get(
    '/api/v1/zones',
    {
      config: { isPublic: true, isPrepared: true },
      compress: false,
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
    (request, reply) => {
      const wanted = parseKinds(request.query.kind, kinds)
      const body = bodies.of(wanted ? [...wanted].toSorted().join(',') : '', () =>
        toZonesJson(current, wanted),
      )
      return sendPrepared(request, reply, body)
    },
  )
}

/** Each group is kept as JSON, so the answer is put together from text. */
function toZonesJson(current: CurrentState, wanted: ReadonlySet<string> | undefined): string {
  const { zones, city } = current.groups()
  const toText = (groups: readonly Group[]): string =>
    groups
      .filter(({ kind }) => wanted?.has(kind.id) ?? true)
      .map(({ json }) => json)
      .join(',')
  const time = toIsoTime(current.changedAtMs)
  return `{"time":"${time}","zones":[${toText(zones)}],"city":[${toText(city)}]}`
}
