import { Problem, type City, type Kinds } from '@pulso/model'
import { Type, type TSchema, type TString } from 'typebox'

export const GEOJSON_TYPE = 'application/geo+json'

export const SensorParams = Type.Object({
  id: Type.String({ maxLength: 256, description: 'The sensor’s id', examples: ['bay-042'] }),
})

/** Beside a route's own answer, what may go wrong. */
export function problems<const S extends number>(...statuses: S[]): Record<S, TSchema> {
  const described = statuses.map((status) => [status, toProblemResponse(status)])
  return Object.fromEntries(described) as Record<S, TSchema>
}

/** An answer of another type than plain JSON. */
export function answerAs(type: string, schema: TSchema, description: string): TSchema {
  return { description, content: { [type]: { schema } } } as TSchema
}

const PROBLEM_DESCRIPTIONS: Record<number, string> = {
  400: 'The request is not valid; `code` and `detail` say why',
  401: 'Needs an operator’s session',
  403: 'Called from another site’s page',
  404: 'There is no such thing',
  429: 'Too many requests; `Retry-After` says when to come back',
  503: 'Cannot answer right now',
}

function toProblemResponse(status: number): TSchema {
  return answerAs('application/problem+json', Problem, PROBLEM_DESCRIPTIONS[status] ?? 'A problem')
}

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
