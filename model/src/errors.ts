/** What an error may carry beside its code and sentence. */
export interface AppErrorOptions {
  /** The error underneath, kept for the log. */
  cause?: unknown
  /** True when the same call may go through later (a store that is down, not a bad request). */
  retryable?: boolean
  /** HTTP status the API answers with; 500 when the error is not about a request. */
  status?: number
  /** Every single mistake, where one sentence would hide some of them. */
  details?: readonly string[]
}

/** The one error class: a stable `code` for programs, a sentence for people. */
export class AppError extends Error {
  readonly code: string
  readonly retryable: boolean
  readonly status: number
  readonly details: readonly string[]

  constructor(code: string, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.retryable = options.retryable ?? false
    this.status = options.status ?? 500
    this.details = options.details ?? []
  }
}

/** Anything thrown, as an `AppError`: its own code is kept, a foreign error becomes `internal`. */
export function toAppError(error: unknown, fallbackCode = 'internal'): AppError {
  if (error instanceof AppError) return error
  return new AppError(fallbackCode, messageOf(error), { cause: error })
}

/** What anything thrown says of itself. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Strangers' text in our sentences: only its beginning. */
export function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
