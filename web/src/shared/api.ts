import type { CityView, HistoryView, Problem, SensorCollection, SensorDetail, ZonesView } from '@pulso/model'

export type ApiErrorReason = 'network' | 'timeout' | 'problem'

/** Why a call failed: no answer, too late, or a problem that the server explains. */
export class ApiError extends Error {
  readonly reason: ApiErrorReason
  /** HTTP status, 0 without an answer. */
  readonly status: number
  /** The server's stable code (`problem+json`), or the reason. */
  readonly code: string

  constructor(
    message: string,
    details: { reason: ApiErrorReason; status?: number; code?: string; cause?: unknown },
  ) {
    super(message, { cause: details.cause })
    this.name = 'ApiError'
    this.reason = details.reason
    this.status = details.status ?? 0
    this.code = details.code ?? details.reason
  }
}

export type Query = Readonly<Record<string, string | number | undefined>>
export interface RequestOptions {
  query?: Query
  signal?: AbortSignal
}

export interface Api {
  /** GET a JSON answer. @throws ApiError */
  get<Answer>(path: string, options?: RequestOptions): Promise<Answer>
  /** POST, PUT or DELETE with a JSON body; `undefined` for an answer without a body. @throws ApiError */
  send<Answer>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<Answer | undefined>
  city(): Promise<CityView>
  zones(query?: { kind?: string }): Promise<ZonesView>
  sensors(query?: Query): Promise<SensorCollection>
  sensor(id: string, signal?: AbortSignal): Promise<SensorDetail>
  history(
    id: string,
    query: { metric: string; from: string; to: string },
    signal?: AbortSignal,
  ): Promise<HistoryView>
}

export interface ApiOptions {
  fetch?: typeof fetch
  timeoutMs?: number
}

/** The HTTP interface with its types; every failure is an `ApiError`. */
export function createApi({
  fetch: fetchWith = globalThis.fetch.bind(globalThis),
  timeoutMs = 15_000,
}: ApiOptions = {}): Api {
  async function request<Answer>(path: string, init: RequestInit): Promise<Answer | undefined> {
    const timeout = AbortSignal.timeout(timeoutMs)
    const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout
    let response: Response
    try {
      response = await fetchWith(path, { ...init, signal })
      if (response.ok) return await readAnswer<Answer>(response)
    } catch (cause) {
      if (init.signal?.aborted) throw cause
      const reason = timeout.aborted ? 'timeout' : 'network'
      throw new ApiError(`${path}: ${reason}`, { reason, cause })
    }
    throw await toApiError(response)
  }

  async function get<Answer>(path: string, { query, signal }: RequestOptions = {}): Promise<Answer> {
    const init = { headers: { accept: 'application/json' }, ...(signal ? { signal } : {}) }
    return (await request<Answer>(path + toQueryString(query), init)) as Answer
  }

  return {
    get,
    send: (method, path, body) =>
      request(path, {
        method,
        ...(body === undefined
          ? {}
          : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      }),
    city: () => get('/api/v1/city'),
    zones: (query) => get('/api/v1/zones', { query: { ...query } }),
    sensors: (query) => get('/api/v1/sensors', query ? { query } : {}),
    sensor: (id, signal) => get(`/api/v1/sensors/${encodeURIComponent(id)}`, signal ? { signal } : {}),
    history: (id, query, signal) =>
      get(`/api/v1/sensors/${encodeURIComponent(id)}/history`, { query, ...(signal ? { signal } : {}) }),
  }
}

/** `?a=1&b=2` of what is defined, or an empty string. */
export function toQueryString(query: Query = {}): string {
  const parts = Object.entries(query).filter(
    (entry): entry is [string, string | number] => entry[1] !== undefined,
  )
  if (parts.length === 0) return ''
  return `?${new URLSearchParams(parts.map(([name, value]) => [name, String(value)])).toString()}`
}

async function readAnswer<Answer>(response: Response): Promise<Answer | undefined> {
  return response.status === 204 ? undefined : ((await response.json()) as Answer)
}

async function toApiError(response: Response): Promise<ApiError> {
  const { status } = response
  const problem = await readProblem(response)
  return new ApiError(problem?.detail ?? problem?.title ?? `HTTP ${status}`, {
    reason: 'problem',
    status,
    code: problem?.code ?? `http-${status}`,
  })
}

async function readProblem(response: Response): Promise<Partial<Problem> | undefined> {
  try {
    return (await response.json()) as Partial<Problem>
  } catch {
    // A proxy in between answers in HTML: the status alone must do.
    return undefined
  }
}
