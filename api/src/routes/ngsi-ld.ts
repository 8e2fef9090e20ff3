import { AppError, clip, type Problem } from '@pulso/model'
import {
  NgsiLdContext as ContextSchema,
  NgsiLdEntities as EntitiesSchema,
  NgsiLdEntity as EntitySchema,
  NgsiLdTypes as TypesSchema,
} from '@pulso/model/schemas'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type, type Static } from 'typebox'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { toBaseUrl } from '../http/base-url.ts'
import { errorToProblem, handleError, PROBLEM_TYPE, sendProblem } from '../http/problem.ts'
import { badRequest } from '../http/query.ts'
import { createEntities, type Entities } from '../standards/ngsi-ld/entities.ts'
import { parseFilter } from '../standards/ngsi-ld/filter.ts'
import { parsePlace } from '../standards/ngsi-ld/place.ts'
import { parseOptions, represent, toNames, type Representation } from '../standards/ngsi-ld/representation.ts'
import { searchEntities, type SearchQuery } from '../standards/ngsi-ld/search.ts'
import { answerAs, JSON_TYPE, problems, refTo } from './common.ts'
import { ENTITIES_QUERY, ENTITY_QUERY } from './ngsi-ld-schemas.ts'

const LD_TYPE = 'application/ld+json'
const CONTEXT_PATH = '/ngsi-ld/v1/context.jsonld'
const MAX_IDS = 100
const DEFAULT_ENTITIES = 100

const ERRORS = 'https://uri.etsi.org/ngsi-ld/errors/'

const TOO_COMPLEX = answerAs(PROBLEM_TYPE, {
  schema: refTo('Problem'),
  description: 'The query has more conditions, or deeper ones, than are answered',
  example: {
    type: `${ERRORS}TooComplexQuery`,
    title: 'Forbidden',
    status: 403,
    code: 'query-too-complex',
    detail: "'q' may have 20 conditions, nested 8 deep.",
  },
})

type EntitiesQuery = Static<typeof ENTITIES_QUERY>

export function ngsiLdRoutes(app: App, context: ApiContext): void {
  const { options, current } = context
  const entities = createEntities({ city: options.city, kinds: options.kinds, current })
  // In a scope of its own, because its errors are named by the standard.
  void app.register(async (scope: App) => {
    scope.setErrorHandler(answerError)
    entitiesRoutes(scope, { context, entities })
    describingRoutes(scope, entities)
  })
}

function entitiesRoutes(app: App, { context, entities }: { context: ApiContext; entities: Entities }): void {
  const { city, clock, kinds } = context.options
  const [kind] = kinds.values()
  const type = kind?.entity.type ?? 'Thing'
  const example = {
    id: `urn:ngsi-ld:${type}:bay-042`,
    type,
    name: { type: 'Property', value: 'Bay 42' },
    location: {
      type: 'GeoProperty',
      value: { type: 'Point', coordinates: [city.bounds[0], city.bounds[1]] },
    },
  }

  app.get(
    '/ngsi-ld/v1/entities',
    {
      config: { isPublic: true },
      schema: {
        tags: ['standards'],
        summary: 'NGSI-LD: entities of the Smart Data Models',
        description:
          'Chosen by type, id, attributes and place; at least one of `type`, `id`, `attrs`, `q` and `georel` is needed. ' +
          'The newest values, without those that are offline. `Accept: application/ld+json` puts `@context` into each ' +
          'entity, otherwise the Link header names it. A zone is at its label.',
        querystring: ENTITIES_QUERY,
        response: {
          200: answerAs(JSON_TYPE, {
            schema: EntitiesSchema,
            description: 'A page of entities',
            example: [example],
          }),
          ...problems(400, 429),
          403: TOO_COMPLEX,
        },
      },
    },
    async (request, reply) => {
      const { query } = request
      const search = toSearchQuery(query, { nowMs: clock.now(), bounds: city.bounds })
      const { entities: page, hasMore, count } = await searchEntities(entities, search)
      const representation = toRepresentation(request, query)
      if (count !== undefined) void reply.header('NGSILD-Results-Count', count)
      const links = toPageLinks(request, { ...search, hasMore })
      const written = page.map((entity) => represent(entity, representation))
      return sendEntities(reply, written, { representation, baseUrl: toBaseUrl(request), links })
    },
  )

  app.get(
    '/ngsi-ld/v1/entities/:id',
    {
      config: { isPublic: true },
      schema: {
        tags: ['standards'],
        summary: 'NGSI-LD: one entity',
        description: 'By its URN, which is made of its type and the sensor’s or zone’s id.',
        params: Type.Object({
          id: Type.String({ maxLength: 256, description: 'The entity’s URN', examples: [example.id] }),
        }),
        querystring: ENTITY_QUERY,
        response: {
          200: answerAs(JSON_TYPE, { schema: EntitySchema, description: 'The entity', example }),
          ...problems(400, 404, 429),
        },
      },
    },
    (request, reply) => {
      const entity = entities.find(request.params.id, clock.now())
      if (!entity)
        throw new AppError('unknown-entity', `There is no entity '${clip(request.params.id)}'`, {
          status: 404,
        })
      const representation = toRepresentation(request, request.query)
      const written = represent(entity, representation)
      return sendEntities(reply, written, { representation, baseUrl: toBaseUrl(request), links: [] })
    },
  )
}

function describingRoutes(app: App, entities: Entities): void {
  const toTypes = (): Static<typeof TypesSchema> => ({
    id: 'urn:ngsi-ld:EntityTypeList:pulso',
    type: 'EntityTypeList',
    typeList: entities.types(),
  })
  const toContext = (): Static<typeof ContextSchema> => ({ '@context': entities.contexts() })

  app.get(
    '/ngsi-ld/v1/types',
    {
      config: { isPublic: true },
      schema: {
        tags: ['standards'],
        summary: 'NGSI-LD: the types of entities',
        description: 'What `type` may be.',
        response: {
          200: answerAs(JSON_TYPE, { schema: TypesSchema, description: 'The types', example: toTypes() }),
          ...problems(429),
        },
      },
    },
    (request, reply) => reply.header('link', toContextLink(toBaseUrl(request))).send(toTypes()),
  )

  app.get(
    CONTEXT_PATH,
    {
      config: { isPublic: true },
      schema: {
        tags: ['standards'],
        summary: 'NGSI-LD: what the attributes’ names mean',
        description: 'A JSON-LD context that puts those of the Smart Data Models together.',
        response: {
          200: answerAs(LD_TYPE, { schema: ContextSchema, description: 'The context', example: toContext() }),
          ...problems(429),
        },
      },
    },
    (_request, reply) => reply.type(LD_TYPE).send(JSON.stringify(toContext())),
  )
}

/** @throws AppError `query-too-broad`, `too-many-ids`, and those of the filter and the place */
function toSearchQuery(
  query: EntitiesQuery,
  { nowMs, bounds }: { nowMs: number; bounds: readonly [number, number, number, number] },
): SearchQuery {
  const [types, ids, attributes] = [toNames(query.type), toNames(query.id), toNames(query.attrs)]
  const place = parsePlace(query, bounds)
  const isBroad = types.length === 0 && ids.length === 0 && attributes.length === 0 && !query.q && !place
  // The standard's rule, so that nobody asks for the whole city by mistake.
  if (isBroad)
    throw badRequest(
      'query-too-broad',
      'Say at least one of type, id, attrs, q or georel; /ngsi-ld/v1/types lists the types',
    )
  if (ids.length > MAX_IDS) throw badRequest('too-many-ids', `'id' may name ${MAX_IDS} entities at once`)
  return {
    types: types.length > 0 ? new Set(types) : undefined,
    ids: [...new Set(ids)],
    attributes: attributes.length > 0 ? new Set(attributes) : undefined,
    filter: query.q ? parseFilter(query.q) : undefined,
    place,
    offset: query.offset ?? 0,
    limit: query.limit ?? DEFAULT_ENTITIES,
    hasCount: query.count ?? false,
    nowMs,
  }
}

function toRepresentation(
  request: FastifyRequest,
  { attrs, options }: { attrs?: string; options?: string },
): Representation {
  const attributes = toNames(attrs)
  const isLinked = request.headers.accept?.includes(LD_TYPE) ?? false
  return {
    ...parseOptions(options),
    attributes: attributes.length > 0 ? new Set(attributes) : undefined,
    context: isLinked ? `${toBaseUrl(request)}${CONTEXT_PATH}` : undefined,
  }
}

function sendEntities(
  reply: FastifyReply,
  body: unknown,
  {
    representation,
    baseUrl,
    links,
  }: { representation: Representation; baseUrl: string; links: readonly string[] },
): FastifyReply {
  const isLinked = representation.context !== undefined
  const all = isLinked ? links : [toContextLink(baseUrl), ...links]
  if (all.length > 0) void reply.header('link', all.join(', '))
  return reply
    .header('vary', 'accept')
    .type(isLinked ? LD_TYPE : JSON_TYPE)
    .send(JSON.stringify(body))
}

function toContextLink(baseUrl: string): string {
  return `<${baseUrl}${CONTEXT_PATH}>; rel="http://www.w3.org/ns/json-ld#context"; type="${LD_TYPE}"`
}

function toPageLinks(
  request: FastifyRequest,
  { offset, limit, hasMore }: { offset: number; limit: number; hasMore: boolean },
): string[] {
  const toLink = (rel: string, at: number): string => {
    const url = new URL(request.url, 'http://localhost')
    url.searchParams.set('offset', String(at))
    url.searchParams.set('limit', String(limit))
    return `<${toBaseUrl(request)}${url.pathname}${url.search}>; rel="${rel}"; type="${JSON_TYPE}"`
  }
  return [
    ...(hasMore && limit > 0 ? [toLink('next', offset + limit)] : []),
    ...(offset > 0 && limit > 0 ? [toLink('prev', Math.max(0, offset - limit))] : []),
  ]
}

const ERROR_TYPES: Record<string, string> = {
  'invalid-request': `${ERRORS}InvalidRequest`,
  'unsupported-operator': `${ERRORS}OperationNotSupported`,
  'unsupported-georel': `${ERRORS}OperationNotSupported`,
  'query-too-complex': `${ERRORS}TooComplexQuery`,
}

/** The problem that everybody gets, under the standard's name for it where it has one. */
function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = errorToProblem(error, request.id)
  if (problem.status >= 500) return handleError(error, request, reply)
  return sendProblem(reply, { ...problem, type: toErrorType(problem) })
}

function toErrorType({ code, status, type }: Problem): string {
  if (status === 404) return `${ERRORS}ResourceNotFound`
  return ERROR_TYPES[code] ?? (status === 400 ? `${ERRORS}BadRequestData` : type)
}
