import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { HttpAnswer } from './http-client.ts'
import type { HttpCase } from './http-cases.ts'
import { listCodes, type NamedOperation, type OpenapiDocument, type Schema } from './http-document.ts'

const PROBLEM_TYPE = 'application/problem+json'

/** Answers that are given before any route is found, or to a method that the route does not take. */
const ANYWHERE: Readonly<Record<number, readonly string[]>> = {
  400: ['invalid-url'],
  404: ['unknown-route'],
  405: ['method-not-allowed'],
  413: ['payload-too-large'],
  431: ['request-too-large'],
}

/** A body of that size is read, but not compared with its schema: the same shapes come in smaller ones. */
const CHECKED_BYTES = 200_000

/** Says what is wrong with an answer, by the document alone; undefined when nothing is. */
export type HttpJudge = (request: HttpCase, answer: HttpAnswer) => string | undefined

export function createHttpJudge(document: OpenapiDocument): HttpJudge {
  const codes = listCodes(document)
  const check = createChecker(document)
  const judgeProblem = (operation: NamedOperation, { status, body }: HttpAnswer): string | undefined => {
    const problem = parseJson(body) as { status?: unknown; code?: unknown } | undefined
    const mistake = check({ $ref: '#/components/schemas/Problem' } as Schema, problem)
    if (mistake !== undefined) return `its problem is none: ${mistake}`
    const code = String(problem?.code)
    if (problem?.status !== status) return `the problem says ${String(problem?.status)}`
    if (!codes.has(code)) return `its code '${code}' is not in the document`
    if (ANYWHERE[status]?.includes(code)) return undefined
    return operation.operation.responses[String(status)]
      ? undefined
      : `the document has no ${status} (${code})`
  }
  return ({ operation, method }, answer) => {
    const { status, headers, isCut } = answer
    if (status >= 500 && status !== 503) return 'it is our own fault'
    const type = (headers['content-type'] ?? '').split(';', 1)[0] ?? ''
    if (status >= 400) {
      if (method === 'HEAD') return undefined
      return type === PROBLEM_TYPE ? judgeProblem(operation, answer) : `it has the type '${type}'`
    }
    if (method === 'OPTIONS') return status === 204 ? undefined : 'OPTIONS has a body'
    const documented = operation.operation.responses[String(status)]
    if (!documented) return `the document has no ${status}`
    const schema = documented.content?.[type]?.schema
    if (documented.content && !schema) return `the document has no '${type}'`
    if (!schema || method === 'HEAD' || isCut || !type.endsWith('json')) return undefined
    if (answer.body.length > CHECKED_BYTES) return undefined
    return check(schema, parseJson(unpack(answer)))
  }
}

function createChecker(document: OpenapiDocument): (schema: Schema, value: unknown) => string | undefined {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema(document, 'document')
  const known = new Map<Schema, ValidateFunction>()
  return (schema, value) => {
    const absolute = (): object =>
      JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"document#/components')) as object
    const validate = known.get(schema) ?? ajv.compile(absolute())
    if (!('$ref' in schema) || known.size < 1_000) known.set(schema, validate)
    return validate(value) ? undefined : ajv.errorsText(validate.errors)
  }
}

function unpack({ headers, body }: HttpAnswer): Buffer {
  const encoding = headers['content-encoding']
  if (encoding === 'br') return brotliDecompressSync(body)
  return encoding === 'gzip' ? gunzipSync(body) : body
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}
