import type { City, Kinds, OgcItems, OgcLink } from '@pulso/model'
import { OgcFeature as FeatureSchema, OgcItems as ItemsSchema } from '@pulso/model/schemas'
import { Type, type Static } from 'typebox'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { toBaseUrl } from '../http/base-url.ts'
import { badRequest, parseBbox, parseCursor, parseStates, parseZones, toCursor } from '../http/query.ts'
import { ZONES_COLLECTION } from '../standards/ogc/collections.ts'
import { parseDatetime, type Feature } from '../standards/ogc/features.ts'
import { createOgcStore, type FeaturesQuery } from '../standards/ogc/store.ts'
import { answerAs, bboxParameter, GEOJSON_TYPE, problems } from './common.ts'
import { collectionParameter } from './ogc.ts'

const MAX_ITEMS = 10_000
const DEFAULT_ITEMS = 100
const EXAMPLE_LINKS: OgcLink[] = [
  { rel: 'collection', href: 'https://city.example/ogc/collections/zones', type: 'application/json' },
]

export function ogcItemsRoutes(
  app: App,
  { options: { city, kinds, clock }, current, examples }: ApiContext,
): void {
  const store = createOgcStore({ city, kinds, current, clock })
  const { id: exampleId, type, geometry } = examples.sensor
  const exampleFeature: Feature = {
    type,
    id: exampleId,
    geometry,
    properties: { id: exampleId, state: 'unknown' },
  }

  app.get(
    '/ogc/collections/:collection/items',
    {
      config: { isPublic: true },
      schema: {
        tags: ['standards'],
        summary: 'OGC API Features: a page of features',
        description:
          'Ordered by id; the link `next` leads on. Sensors carry their newest public values, zones the sums by kind.',
        params: Type.Object({ collection: collectionParameter() }),
        querystring: toQuerySchema(city),
        response: {
          200: answerAs(GEOJSON_TYPE, {
            schema: ItemsSchema,
            description: 'The page',
            example: toItems([exampleFeature], { matched: 1, links: EXAMPLE_LINKS }),
          }),
          ...problems(400, 404, 429),
        },
      },
    },
    (request, reply) => {
      const { query } = request
      const { collection } = request.params
      const baseUrl = toBaseUrl(request)
      const { links } = store.findCollection(collection, baseUrl)
      if (collection === ZONES_COLLECTION) refuseSensorFilters(query)
      const page = store.listFeatures(collection, toFeaturesQuery(query, { city, kinds }))
      const parameters = new URLSearchParams(
        Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
      )
      const href = `${baseUrl}/ogc/collections/${collection}/items`
      const here: OgcLink[] = [
        { rel: 'self', href: withQuery(href, parameters), type: GEOJSON_TYPE },
        toParent(links),
      ]
      if (page.next !== undefined) {
        parameters.set('cursor', page.next)
        here.push({ rel: 'next', href: withQuery(href, parameters), type: GEOJSON_TYPE })
      }
      return reply
        .type(GEOJSON_TYPE)
        .send(JSON.stringify(toItems(page.features, { matched: page.matched, links: here })))
    },
  )

  app.get(
    '/ogc/collections/:collection/items/:id',
    {
      config: { isPublic: true },
      schema: {
        tags: ['standards'],
        summary: 'OGC API Features: one feature',
        description: 'A sensor or a zone.',
        params: Type.Object({
          collection: collectionParameter(),
          id: Type.String({ maxLength: 256, description: 'The feature’s id', examples: [exampleFeature.id] }),
        }),
        response: {
          200: answerAs(GEOJSON_TYPE, {
            schema: FeatureSchema,
            description: 'The feature',
            example: { ...exampleFeature, links: EXAMPLE_LINKS },
          }),
          ...problems(404, 429),
        },
      },
    },
    (request, reply) => {
      const { collection, id } = request.params
      const { links } = store.findCollection(collection, toBaseUrl(request))
      const feature = store.findFeature(collection, id)
      const parent = toParent(links)
      const self = { rel: 'self', href: `${parent.href}/items/${encodeURIComponent(id)}`, type: GEOJSON_TYPE }
      return reply.type(GEOJSON_TYPE).send(JSON.stringify({ ...feature, links: [self, parent] }))
    },
  )
}

function toQuerySchema(city: City) {
  return Type.Object({
    bbox: Type.Optional(bboxParameter(city)),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        default: DEFAULT_ITEMS,
        description: `How many at most; more than ${MAX_ITEMS} gives ${MAX_ITEMS}`,
        examples: [DEFAULT_ITEMS],
      }),
    ),
    datetime: Type.Optional(
      Type.String({
        maxLength: 100,
        description: 'When last measured: a time, or two with a slash; .. leaves an end open',
        examples: ['2026-05-31T08:00:00Z/..'],
      }),
    ),
    state: Type.Optional(
      Type.String({ description: 'Sensors that stand like this, states with commas', examples: ['unknown'] }),
    ),
    freshness: Type.Optional(
      Type.Enum(['fresh', 'stale', 'offline'], { description: 'Sensors whose newest reading is this old' }),
    ),
    zone: Type.Optional(
      Type.String({
        description: 'Sensors of these zones, with commas',
        examples: [city.zones[0]?.id ?? 'centre'],
      }),
    ),
    cursor: Type.Optional(
      Type.String({
        maxLength: 400,
        description: 'Part of the link `next`',
        examples: [toCursor(['bay-042'])],
      }),
    ),
  })
}

/** @throws AppError `invalid-bbox`, `invalid-datetime`, `unknown-state`, `unknown-zone`, `invalid-cursor` (400) */
function toFeaturesQuery(
  query: Static<ReturnType<typeof toQuerySchema>>,
  { city, kinds }: { city: City; kinds: Kinds },
): FeaturesQuery {
  const { freshness } = query
  const bbox = parseBbox(toFlatBbox(query.bbox), city)
  const period = parseDatetime(query.datetime)
  const states = parseStates(query.state, kinds)
  const zones = parseZones(query.zone, city)
  return {
    ...(bbox && { bbox }),
    ...(period && { period }),
    ...(states && { states }),
    ...(freshness !== undefined && { freshness }),
    ...(zones && { zones }),
    after: parseCursor(query.cursor, ['string'])?.[0] as string | undefined,
    // The standard's rule: too large a limit is no mistake.
    limit: Math.min(query.limit ?? DEFAULT_ITEMS, MAX_ITEMS),
  }
}

/** The standard allows heights too (west, south, lowest, east, north, highest); nothing here has one. */
function toFlatBbox(text: string | undefined): string | undefined {
  const parts = text?.split(',') ?? []
  return parts.length === 6 ? [parts[0], parts[1], parts[3], parts[4]].join(',') : text
}

/** @throws AppError `invalid-request` (400) */
function refuseSensorFilters(query: Readonly<Record<string, unknown>>): void {
  for (const name of ['state', 'freshness', 'zone']) {
    if (query[name] !== undefined)
      throw badRequest(
        'invalid-request',
        `'${name}' chooses sensors; the zones take bbox, datetime and limit`,
      )
  }
}

function toItems(features: Feature[], { matched, links }: { matched: number; links: OgcLink[] }): OgcItems {
  return {
    type: 'FeatureCollection',
    features,
    numberMatched: matched,
    numberReturned: features.length,
    links,
  }
}

function toParent(links: readonly OgcLink[]): OgcLink {
  const { href = '', type = 'application/json' } = links.find(({ rel }) => rel === 'self') ?? {}
  return { rel: 'collection', href, type }
}

function withQuery(href: string, parameters: URLSearchParams): string {
  return parameters.size > 0 ? `${href}?${parameters.toString()}` : href
}
