import type { City, Kinds } from '@pulso/model'
import {
  AggregatesView,
  CityView,
  HistoryBuckets,
  HistoryView,
  LiveEvent,
  NearestView,
  OpsOverview,
  OpsSensors,
  Problem,
  QuarantinePage,
  QuarantinePurged,
  QuarantineReplayed,
  QuarantineTotals,
  SensorCollection,
  SensorDetail,
  SessionView,
  TileJson,
  ZonesView,
} from '@pulso/model/schemas'
import { Type, type Static, type TInteger, type TSchema, type TString } from 'typebox'
import type { App } from '../http/app.ts'
import { PROBLEM_TYPE } from '../http/problem.ts'
import { PROBLEM_CODES } from '../http/problem-codes.ts'

export const JSON_TYPE = 'application/json'
export const GEOJSON_TYPE = 'application/geo+json'

/** The shapes that the OpenAPI document names. */
const VIEWS = {
  AggregatesView,
  CityView,
  HistoryBuckets,
  HistoryView,
  LiveEvent,
  NearestView,
  OpsOverview,
  OpsSensors,
  Problem,
  QuarantinePage,
  QuarantinePurged,
  QuarantineReplayed,
  QuarantineTotals,
  SensorCollection,
  SensorDetail,
  SessionView,
  TileJson,
  ZonesView,
}
type Views = typeof VIEWS

export function addViews(app: App): void {
  for (const [name, schema] of Object.entries({ ...VIEWS, Problem: withCodes(Problem) }))
    app.addSchema({ ...schema, $id: name })
}

/** The problem's shape with all its codes, so that a program's author finds them in one place. */
function withCodes(problem: typeof Problem): TSchema {
  const { code } = problem.properties
  return {
    ...problem,
    properties: { ...problem.properties, code: { ...code, examples: [...PROBLEM_CODES] } },
  }
}

const UNCHANGED = Type.Null({ description: 'What `If-None-Match` names is still so' })

/** What may go wrong at every route stands at every route, also where its file does not name it. */
export function describeCommonProblems(app: App): void {
  app.addHook('onRoute', (route) => {
    const { schema, config = {} } = route
    if (!schema?.tags) return
    const statuses = [
      ...(config.takesAnyParameter === true ? [] : [400]),
      ...(config.rateLimit === false ? [] : [429]),
      ...(schema.body ? [413, 415] : []),
    ]
    const given = schema.response as Record<string, unknown> | undefined
    const unchanged = config.isPublic === true && config.isStream !== true && { 304: UNCHANGED }
    route.schema = { ...schema, response: { ...unchanged, ...problems(...statuses), ...given } }
  })
}

/** What all routes for operators have in common. */
export const OPS_SCHEMA = { tags: ['operators'], security: [{ session: [] }] }
export const OPS_CONFIG = { cacheControl: 'no-store' }

/** An answer in JSON. */
export function answer<Name extends keyof Views>(
  name: Name,
  { description, example }: { description: string; example: Static<Views[Name]> },
): Views[Name] {
  return answerAs(JSON_TYPE, { schema: refTo(name), description, example }) as Views[Name]
}

/** An answer of another type; its handler sends text or a stream. */
export function answerAs(
  type: string,
  { description, ...content }: { description: string; schema: TSchema; example: unknown },
): TSchema {
  return { description, content: { [type]: content } }
}

export function refTo(name: keyof Views): TSchema {
  return { $ref: `${name}#` }
}

/** Beside a route's own answer, what may go wrong. */
export function problems<const S extends number>(...statuses: S[]): Record<S, TSchema> {
  const described = statuses.map((status) => [status, toProblemAnswer(status)])
  return Object.fromEntries(described) as Record<S, TSchema>
}

export const SensorParams = Type.Object({
  id: Type.String({
    pattern: '^[A-Za-z0-9._:-]{1,64}$',
    description: 'The sensor’s id',
    examples: ['bay-042'],
  }),
})

export function kindParameter(kinds: Kinds): TString {
  return Type.String({
    description: 'Kinds by id, with commas; all when absent',
    examples: [...kinds.keys()].slice(0, 1),
  })
}

export function bboxParameter({ bounds }: City): TString {
  return Type.String({
    maxLength: 200,
    description: 'west,south,east,north in degrees: longitude before latitude',
    examples: [bounds.join(',')],
  })
}

export function limitParameter(options: { maximum: number; default: number }): TInteger {
  return Type.Integer({
    minimum: 1,
    ...options,
    description: 'How many at most',
    examples: [options.default],
  })
}

interface ProblemKind {
  description: string
  example: Omit<Problem, 'type' | 'status'>
}

const PROBLEM_KINDS: Record<number, ProblemKind> = {
  400: {
    description: 'The request is not valid; `code` and `detail` say why',
    example: {
      title: 'Bad Request',
      code: 'unknown-zone',
      detail: 'There is no zone ‘centre’ here; /api/v1/city lists them.',
    },
  },
  401: {
    description: 'Needs an operator’s session',
    example: {
      title: 'Unauthorized',
      code: 'no-session',
      detail: 'Log in first: POST /api/v1/session with the password.',
    },
  },
  403: {
    description: 'Called from another site’s page',
    example: {
      title: 'Forbidden',
      code: 'cross-origin',
      detail: 'This address may be called from its own pages only.',
    },
  },
  404: {
    description: 'There is no such thing',
    example: { title: 'Not Found', code: 'unknown-sensor', detail: 'There is no sensor ‘bay-042’.' },
  },
  413: {
    description: 'The body is too large',
    example: {
      title: 'Payload Too Large',
      code: 'payload-too-large',
      detail: 'The body must not be larger than 16384 bytes.',
    },
  },
  415: {
    description: 'The body is not JSON',
    example: {
      title: 'Unsupported Media Type',
      code: 'unsupported-media-type',
      detail: 'Send the body as application/json.',
    },
  },
  429: {
    description: 'Too many requests; `Retry-After` says when to come back',
    example: {
      title: 'Too Many Requests',
      code: 'rate-limited',
      detail: 'More than 300 requests in a second; please slow down.',
    },
  },
  503: {
    description: 'Cannot answer right now; `Retry-After` says when to try again',
    example: {
      title: 'Service Unavailable',
      code: 'readings-unavailable',
      detail: 'A store of this service does not answer right now. Please try again soon.',
    },
  },
}

function toProblemAnswer(status: number): TSchema {
  const { description, example } = PROBLEM_KINDS[status] ?? {
    description: 'A problem',
    example: { title: 'Problem', code: 'problem', detail: 'Something is wrong.' },
  }
  return answerAs(PROBLEM_TYPE, {
    schema: refTo('Problem'),
    description,
    example: { type: `urn:pulso:problem:${example.code}`, status, ...example } satisfies Problem,
  })
}
