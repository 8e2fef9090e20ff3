import { STATUS_CODES } from 'node:http'
import { AppError, clip, type Problem } from '@pulso/model'
import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify'

export const PROBLEM_TYPE = 'application/problem+json'

const UNAVAILABLE = 'A store of this service does not answer right now. Please try again soon.'

/** Fastify's own errors in our words; what is not here is a plain bad request or our fault. */
const KNOWN_ERRORS: Record<string, { code: string; detail?: string }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'payload-too-large' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'unsupported-media-type',
    detail: 'Send the body as application/json.',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'invalid-json', detail: 'The body is not valid JSON.' },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: 'invalid-json', detail: 'The body is empty; send a JSON object.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { code: 'invalid-request' },
  FST_ERR_BAD_URL: {
    code: 'invalid-url',
    detail: 'The address is not a valid URL: a % must be followed by two hexadecimal digits.',
  },
  FST_ERR_MAX_PARAM_LENGTH: { code: 'invalid-url', detail: 'A part of the address is too long.' },
}

/** What libraries refuse without a code of ours, by status. */
const CODES_BY_STATUS: Record<number, string> = {
  403: 'forbidden',
  404: 'unknown-route',
  406: 'not-acceptable',
  412: 'precondition-failed',
  414: 'invalid-url',
  416: 'range-not-satisfiable',
}

/** Where a validated value came from, in people's words. */
const PLACES: Record<string, string> = {
  querystring: 'parameter',
  params: 'part of the address',
  headers: 'header',
  body: 'body',
}

export function toProblem({
  status,
  code,
  detail,
  errors = [],
}: {
  status: number
  code: string
  detail: string
  /** Every single mistake. */
  errors?: readonly string[]
}): Problem {
  return {
    type: `urn:pulso:problem:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    detail,
    ...(errors.length > 0 && { errors: [...errors] }),
  }
}

/** Any error as what a client may know of it: our own faults are told without their inside. */
export function errorToProblem(error: unknown, requestId: string): Problem {
  if (error instanceof AppError) return appErrorToProblem(error, requestId)
  const {
    validation,
    validationContext = '',
    statusCode: status = 500,
    code = '',
    message = '',
  } = error as Partial<FastifyError>
  if (validation) {
    const errors = validation.slice(0, 20).map((mistake) => toMistake(mistake, validationContext))
    const detail = `The request is not valid: ${errors[0] ?? message}.`
    return toProblem({ status: 400, code: 'invalid-request', detail, errors })
  }
  const known = KNOWN_ERRORS[code]
  if (!known && (status < 400 || status >= 500)) return internalProblem(requestId)
  const detail = known?.detail ?? toSentence(message || 'The request is not valid')
  return toProblem({ status, code: known?.code ?? CODES_BY_STATUS[status] ?? 'invalid-request', detail })
}

/** ‘the parameter ‘limit’ must be <= 10000’. */
function toMistake(
  { instancePath, message = 'is not valid', params }: FastifySchemaValidationError,
  place: string,
): string {
  const name = clip(instancePath.slice(1).replaceAll('/', '.'))
  const where = `the ${PLACES[place] ?? 'request'}${name && ` '${name}'`}`
  const allowed = Array.isArray(params.allowedValues) ? `: ${params.allowedValues.join(', ')}` : ''
  return `${where} ${message}${allowed}`
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return (
    reply
      .code(problem.status)
      .header('cache-control', 'no-store')
      .type(PROBLEM_TYPE)
      // As text: a route's schema for its own answer has no say here.
      .send(JSON.stringify(problem))
  )
}

/** The one place where errors become answers. */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = errorToProblem(error, request.id)
  if (problem.status >= 500)
    request.log.error(
      { err: error, route: request.routeOptions.url, requestId: request.id },
      'request failed',
    )
  if (problem.status === 503 && !reply.hasHeader('retry-after')) reply.header('retry-after', '5')
  return sendProblem(reply, problem)
}

function appErrorToProblem(error: AppError, requestId: string): Problem {
  const { code, message, status, retryable, details: errors } = error
  if (status < 500) return toProblem({ status, code, detail: toSentence(message), errors })
  // A store's own words may name hosts and paths.
  if (retryable) return toProblem({ status: 503, code, detail: UNAVAILABLE })
  if (status === 503) return toProblem({ status, code, detail: toSentence(message) })
  return internalProblem(requestId)
}

function internalProblem(requestId: string): Problem {
  return toProblem({
    status: 500,
    code: 'internal',
    detail: `Something went wrong on our side and has been logged under request ${requestId}.`,
  })
}

function toSentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`
}
