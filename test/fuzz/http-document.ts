/** The part of an OpenAPI document that requests are made from and answers are judged by. */
export interface Schema {
  type?: string | string[]
  enum?: unknown[]
  examples?: unknown[]
  example?: unknown
  minimum?: number
  maximum?: number
  description?: string
  properties?: Record<string, Schema>
  anyOf?: Schema[]
}

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header' | 'cookie'
  required?: boolean
  schema: Schema
  example?: unknown
}

export interface Operation {
  tags?: string[]
  parameters?: Parameter[]
  requestBody?: { content: Record<string, { schema: Schema; example?: unknown }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: Schema }> }>
}

export interface OpenapiDocument {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

export interface NamedOperation {
  /** In capitals. */
  method: string
  path: string
  operation: Operation
}

export function listOperations({ paths }: OpenapiDocument): NamedOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
}

/** The codes that the document names; an answer with another one would tell programs nothing. */
export function listCodes({ components }: OpenapiDocument): ReadonlySet<string> {
  return new Set((components.schemas.Problem?.properties?.code?.examples ?? []).map(String))
}
