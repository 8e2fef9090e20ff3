import { AppError, clip } from '@pulso/model'
import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import type { CurrentState } from '../current/current-state.ts'
import type { Entry } from '../current/entry.ts'
import { toDetail, toFeatureJson } from '../current/features.ts'
import type { App } from '../http/app.ts'
import {
  matches,
  parseBbox,
  parseCursor,
  parseKinds,
  parseStates,
  parseZones,
  toCursor,
  type SensorFilter,
} from '../http/query.ts'
import {
  answerAs,
  bboxParameter,
  GEOJSON_TYPE,
  kindParameter,
  limitParameter,
  problems,
  refTo,
  SensorParams,
} from './common.ts'

const MAX_SENSORS = 10_000
const DEFAULT_SENSORS = 1_000

interface ListFilter extends SensorFilter {
  zones: ReadonlySet<string> | undefined
  states: ReadonlySet<string> | undefined
}

export function sensorsRoutes(
  app: App,
  { options: { city, kinds, clock }, current, examples }: ApiContext,
): void {
  const Query = Type.Object({
    kind: Type.Optional(kindParameter(kinds)),
    zone: Type.Optional(
      Type.String({ description: 'Zones by id, with commas', examples: [city.zones[0]?.id ?? 'centre'] }),
    ),
    bbox: Type.Optional(bboxParameter(city)),
    state: Type.Optional(Type.String({ description: 'States by id, with commas', examples: ['unknown'] })),
    limit: Type.Optional(limitParameter({ maximum: MAX_SENSORS, default: DEFAULT_SENSORS })),
    cursor: Type.Optional(
      Type.String({
        maxLength: 400,
        description: '`next` of the page before',
        examples: [toCursor(['bay-042'])],
      }),
    ),
  })
  app.get(
    '/api/v1/sensors',
    {
      config: { isPublic: true },
      schema: {
        tags: ['sensors'],
        summary: 'Sensors and how they stand, as GeoJSON',
        description:
          'Ordered by id. `properties.values` holds the newest value of each metric that is not offline; a sensor ' +
          'that nobody placed has no geometry.',
        querystring: Query,
        response: {
          200: answerAs(GEOJSON_TYPE, {
            schema: refTo('SensorCollection'),
            description: 'A page of sensors',
            example: examples.sensors,
          }),
          ...problems(400, 429),
        },
      },
    },
    ({ query }, reply) => {
      const bbox = parseBbox(query.bbox, city)
      const wantedKinds = parseKinds(query.kind, kinds)
      const filter: ListFilter = {
        ...(wantedKinds && { kinds: wantedKinds }),
        ...(bbox && { bbox }),
        zones: parseZones(query.zone, city),
        states: parseStates(query.state, kinds),
      }
      const after = parseCursor(query.cursor, ['string'])?.[0] as string | undefined
      const page = listPage(current, { filter, after, limit: query.limit ?? DEFAULT_SENSORS })
      const features = page.entries.map((entry) => toFeatureJson(entry, clock.now()))
      const next = JSON.stringify(page.next)
      // Each feature is kept as JSON, so a page is put together from text.
      const body = `{"type":"FeatureCollection","features":[${features.join(',')}],"next":${next}}`
      return reply.type(GEOJSON_TYPE).send(body)
    },
  )

  app.get(
    '/api/v1/sensors/:id',
    {
      config: { isPublic: true },
      schema: {
        tags: ['sensors'],
        summary: 'One sensor with each value’s own time',
        description: 'Values that are offline are there too, with how old they are.',
        params: SensorParams,
        response: {
          200: answerAs(GEOJSON_TYPE, {
            schema: refTo('SensorDetail'),
            description: 'The sensor',
            example: examples.sensor,
          }),
          ...problems(400, 404, 429),
        },
      },
    },
    ({ params }, reply) =>
      reply.type(GEOJSON_TYPE).send(JSON.stringify(toDetail(findSensor(current, params.id), clock.now()))),
  )
}

/** @throws AppError `unknown-sensor` (404) */
export function findSensor(current: CurrentState, id: string): Entry {
  const entry = current.get(id)
  if (!entry) throw new AppError('unknown-sensor', `There is no sensor '${clip(id)}'`, { status: 404 })
  return entry
}

function listPage(
  current: CurrentState,
  { filter, after, limit }: { filter: ListFilter; after: string | undefined; limit: number },
): { entries: Entry[]; next: string | null } {
  const all = current.list()
  const entries: Entry[] = []
  for (let index = after === undefined ? 0 : firstAfter(all, after); index < all.length; index++) {
    const entry = all[index]
    if (!entry || !isWanted(entry, filter)) continue
    // One more than asked for exists, so there is a next page.
    if (entries.length === limit) return { entries, next: toCursor([entries.at(-1)?.sensor.id ?? '']) }
    entries.push(entry)
  }
  return { entries, next: null }
}

function isWanted(entry: Entry, filter: ListFilter): boolean {
  if (filter.zones && (entry.zone === null || !filter.zones.has(entry.zone))) return false
  if (filter.states && !filter.states.has(entry.stands)) return false
  return matches(entry, filter)
}

/** The first place behind an id in a list ordered by id. */
function firstAfter(entries: readonly Entry[], id: string): number {
  let [low, high] = [0, entries.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((entries[middle]?.sensor.id ?? '') <= id) low = middle + 1
    else high = middle
  }
  return low
}
