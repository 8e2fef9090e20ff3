import { ApiError } from '../shared/api.ts'
import { readStored, store } from '../shared/storage.ts'
import type { LoginOutcome, OpsApi } from './ops-api.ts'

export interface Session {
  /** `asking` until the box has said whether somebody is logged in. */
  readonly stage: 'asking' | 'out' | 'in'
  readonly operator: string
  /** True when it ended by itself: the form says so. */
  readonly hasEnded: boolean
  /** Asks the box; a box that does not answer leaves the form to say so. */
  resume(): Promise<void>
  login(credentials: { name: string; password: string }): Promise<LoginOutcome>
  logout(): Promise<void>
  /** The box no longer knows this session. */
  end(): void
}

/** Remembers that somebody was logged in here (the cookie itself no script can see), so that nobody else's visit asks in vain. */
const HINT = 'operator'

export function createSession(api: OpsApi): Session {
  let stage = $state<Session['stage']>('asking')
  let operator = $state('')
  let hasEnded = $state(false)

  return {
    get stage() {
      return stage
    },
    get operator() {
      return operator
    },
    get hasEnded() {
      return hasEnded
    },
    async resume() {
      if (readStored(HINT) !== 'in') {
        stage = 'out'
        return
      }
      try {
        operator = (await api.session()).operator
        stage = 'in'
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        // Not logged in, or no answer: either way the form is the next step, and it reports what fails then.
        if (error.status === 401) store(HINT, 'out')
        stage = 'out'
      }
    },
    async login(credentials) {
      const result = await api.login(credentials)
      if (result.outcome === 'in') {
        operator = result.session.operator
        hasEnded = false
        store(HINT, 'in')
        stage = 'in'
      }
      return result
    },
    async logout() {
      try {
        await api.logout()
      } catch (error) {
        // Already gone counts as logged out; anything else must not pretend.
        if (!(error instanceof ApiError && error.status === 401)) throw error
      }
      store(HINT, 'out')
      stage = 'out'
    },
    end() {
      if (stage !== 'in') return
      store(HINT, 'out')
      hasEnded = true
      stage = 'out'
    },
  }
}
