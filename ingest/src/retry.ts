import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, toAppError } from '@pulso/model'

export interface RetryOptions {
  /** Ends the waiting, and with it the attempts. */
  signal: AbortSignal
  /** 0 ≤ x < 1 */
  random: () => number
  firstMs: number
  longestMs: number
  onFailure: (failure: { doing: string; attempt: number; delayMs: number; error: AppError }) => void
  /** After a failure it went well again. */
  onRecovery: (doing: string) => void
}

export type Retry = <T>(doing: string, work: (attempt: number) => Promise<T>) => Promise<T>

/**
 * Tries until it goes well: nothing may be skipped because a store is down. Between the attempts it waits twice as
 * long each time, less up to a half at random, so that many processes do not come back at the same moment.
 * @throws AppError `stopped` once the signal is aborted
 */
export function createRetry(options: RetryOptions): Retry {
  const { signal, random, firstMs, longestMs, onFailure, onRecovery } = options
  return async (doing, work) => {
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await work(attempt)
        if (attempt > 1) onRecovery(doing)
        return result
      } catch (thrown) {
        const error = toAppError(thrown)
        if (signal.aborted) throw stopped(error)
        const fullMs = Math.min(longestMs, firstMs * 2 ** Math.min(attempt - 1, 30))
        const delayMs = Math.round(fullMs * (1 - random() / 2))
        onFailure({ doing, attempt, delayMs, error })
        await sleep(delayMs, undefined, { signal }).catch(() => {
          throw stopped(error)
        })
      }
    }
  }
}

function stopped(cause: AppError): AppError {
  return new AppError('stopped', 'Ingest was stopped while it tried again', { cause })
}
