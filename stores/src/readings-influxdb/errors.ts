import { HttpError } from '@influxdata/influxdb-client'
import { AppError, messageOf } from '@pulso/model'

/** Answers about the request itself: the same request gets them again. */
const FINAL_STATUSES: ReadonlySet<number> = new Set([400, 413, 422])

/**
 * The client's error in our terms. All but a malformed request may be over at the next try: a server that starts, a
 * network, a token or a database that an operator puts right.
 */
export function toInfluxError(doing: string, error: unknown): AppError {
  if (error instanceof AppError) return error
  const isFinal = error instanceof HttpError && FINAL_STATUSES.has(error.statusCode)
  return new AppError(isFinal ? 'readings-refused' : 'readings-unavailable', `${doing}: ${describe(error)}`, {
    cause: error,
    retryable: !isFinal,
    status: isFinal ? 500 : 503,
  })
}

/** The server is there and says no, or what it holds is not for us: it will say so again. */
export function isAnswer(error: unknown): boolean {
  if (error instanceof HttpError) return error.statusCode < 500
  return error instanceof AppError && !error.retryable
}

/** Points older than the bucket keeps: the server has dropped them and taken the others. */
export function isBeyondRetention(error: unknown): boolean {
  return (
    error instanceof HttpError && `${error.message} ${error.body ?? ''}`.includes('beyond retention policy')
  )
}

function describe(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0])
  return messageOf(error)
}
