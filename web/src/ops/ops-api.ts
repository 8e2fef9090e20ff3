import type {
  Freshness,
  OpsOverview,
  OpsSensors,
  QuarantinePage,
  QuarantinePurged,
  QuarantineReplay,
  QuarantineReplayed,
  QuarantineSelection,
  QuarantineTotals,
  SessionView,
} from '@pulso/model'
import { ApiError, type Api } from '../shared/api.ts'

export interface SensorsQuestion {
  kind?: string | undefined
  freshness?: Freshness | undefined
  /** Part of an id or a name. */
  q?: string | undefined
  /** Longest silent, lowest battery or id first. */
  sort: 'silent' | 'battery' | 'id'
  limit: number
  cursor?: string | undefined
}

export interface QuarantineQuestion {
  reason?: string | undefined
  sensor?: string | undefined
  /** Those of this row of the totals. */
  total?: number | undefined
  /** Entries older than this id. */
  before?: number | undefined
  limit: number
}

/** What came of trying to log in, for the form to put into words. */
export type LoginOutcome =
  | { outcome: 'in'; session: SessionView }
  | { outcome: 'wrong' }
  | { outcome: 'too-many'; waitMs: number | null }
  | { outcome: 'unreachable' }
  | { outcome: 'failed'; detail: string }

export interface OpsApi {
  /** @throws ApiError with status 401 when nobody is logged in */
  session(): Promise<SessionView>
  login(credentials: { name: string; password: string }): Promise<LoginOutcome>
  logout(): Promise<void>
  overview(): Promise<OpsOverview>
  sensors(question: SensorsQuestion): Promise<OpsSensors>
  quarantine(question: QuarantineQuestion): Promise<QuarantinePage>
  quarantineTotals(question: {
    reason?: string | undefined
    sensor?: string | undefined
  }): Promise<QuarantineTotals>
  /** One step. */
  replayQuarantine(selection: QuarantineReplay): Promise<QuarantineReplayed>
  /** One step. */
  purgeQuarantine(selection: QuarantineSelection): Promise<QuarantinePurged>
}

const SESSION_PATH = '/api/v1/session'
const QUARANTINE_PATH = '/api/v1/ops/quarantine'
const LOGIN_TIMEOUT_MS = 15_000

/** The operators' routes. The session's cookie travels by itself and no script can read it. */
export function createOpsApi(api: Api, fetchWith: typeof fetch = globalThis.fetch.bind(globalThis)): OpsApi {
  const post = async <Answer>(path: string, body: object): Promise<Answer> => {
    const answer = await api.send<Answer>('POST', path, body)
    if (answer === undefined) throw new ApiError(`${path}: no content`, { reason: 'problem' })
    return answer
  }
  return {
    session: () => api.get(SESSION_PATH),
    login: (credentials) => login(fetchWith, credentials),
    async logout() {
      await api.send('DELETE', SESSION_PATH)
    },
    overview: () => api.get('/api/v1/ops/overview'),
    sensors: (question) => api.get('/api/v1/ops/sensors', { query: { ...question } }),
    quarantine: (question) => api.get(QUARANTINE_PATH, { query: { ...question } }),
    quarantineTotals: (question) => api.get(`${QUARANTINE_PATH}/totals`, { query: { ...question } }),
    replayQuarantine: (selection) => post(`${QUARANTINE_PATH}/replay`, selection),
    purgeQuarantine: (selection) => post(`${QUARANTINE_PATH}/purge`, selection),
  }
}

// Not by `Api.send`: how long to wait stands in a header, which an `ApiError` does not carry.
async function login(
  fetchWith: typeof fetch,
  { name, password }: { name: string; password: string },
): Promise<LoginOutcome> {
  let response: Response
  let body: Partial<SessionView & { detail: string }> = {}
  try {
    response = await fetchWith(SESSION_PATH, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(name === '' ? { password } : { name, password }),
      signal: AbortSignal.timeout(LOGIN_TIMEOUT_MS),
    })
  } catch {
    // No answer at all, or too late: the same advice.
    return { outcome: 'unreachable' }
  }
  try {
    body = (await response.json()) as typeof body
  } catch {
    // A proxy's page instead of an answer: the status alone must do.
  }
  if (response.ok && body.operator !== undefined && body.expiresAt !== undefined) {
    return { outcome: 'in', session: { operator: body.operator, expiresAt: body.expiresAt } }
  }
  if (response.status === 401 || response.status === 403) return { outcome: 'wrong' }
  if (response.status === 429)
    return { outcome: 'too-many', waitMs: parseRetryAfter(response.headers.get('retry-after')) }
  if (response.status >= 502 && response.status <= 504) return { outcome: 'unreachable' }
  return { outcome: 'failed', detail: body.detail ?? `HTTP ${response.status}` }
}

/** `Retry-After` in its form in seconds (RFC 9110); null for anything else. */
function parseRetryAfter(header: string | null): number | null {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : null
}
