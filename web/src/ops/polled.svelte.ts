import { ApiError } from '../shared/api.ts'
import { createPoller, pageTimers } from './poller.ts'

export interface PolledOptions<Answer> {
  /** Aborted once the answer is no longer wanted: it is dropped then, and an `ask` of several steps may stop early. */
  ask: (signal: AbortSignal) => Promise<Answer>
  intervalMs: () => number
  /** The session is over. */
  onUnauthorised: () => void
  onAnswer?: (answer: Answer) => void
  onFailure?: () => void
}

/** Something of the box that the page keeps asking for. */
export interface Polled<Answer> {
  /** The newest answer; it stays when later questions fail. */
  readonly value: Answer | null
  /** By this device's clock; null before the first answer. */
  readonly answeredAtMs: number | null
  /** Why the newest question failed; null when it was answered. */
  readonly error: unknown
  start(): void
  stop(): void
  now(): void
}

export function createPolled<Answer>(options: PolledOptions<Answer>): Polled<Answer> {
  let value = $state.raw<Answer | null>(null)
  let answeredAtMs = $state<number | null>(null)
  let error = $state.raw<unknown>(null)

  const run = async (signal: AbortSignal): Promise<void> => {
    try {
      const answer = await options.ask(signal)
      if (signal.aborted) return
      value = answer
      answeredAtMs = Date.now()
      error = null
      options.onAnswer?.(answer)
    } catch (thrown) {
      if (signal.aborted) return
      if (thrown instanceof ApiError && thrown.status === 401) {
        options.onUnauthorised()
        return
      }
      error = thrown
      options.onFailure?.()
    }
  }
  const poller = createPoller({ run, intervalMs: options.intervalMs, ...pageTimers })

  return {
    get value() {
      return value
    },
    get answeredAtMs() {
      return answeredAtMs
    },
    get error() {
      return error
    },
    start: () => poller.start(),
    stop: () => poller.stop(),
    now: () => poller.now(),
  }
}
