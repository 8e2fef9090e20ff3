import { AppError, formatDuration, toAppError } from '@pulso/model'
import type { HealthCheck, HealthFacts } from './options.ts'

export interface CheckResult {
  name: string
  driver: string
  ok: boolean
  /** What is wrong, for operators; null when nothing is. */
  detail: string | null
  /** What the dependency says of itself in numbers, when it can. */
  facts?: HealthFacts
}

export interface ReadyChecks {
  run(): Promise<CheckResult[]>
}

/**
 * Asks every dependency, each within a time limit. A question that hangs is not asked again until it ends, so that a
 * dead store does not gather questions.
 */
export function createReadyChecks(checks: readonly HealthCheck[], limitMs: number): ReadyChecks {
  const pending = new Map<HealthCheck, Promise<void>>()

  const ask = (check: HealthCheck): Promise<void> => {
    const known = pending.get(check)
    if (known) return known
    const answer = Promise.resolve()
      .then(() => check.check())
      .finally(() => pending.delete(check))
    pending.set(check, answer)
    return answer
  }

  const factsOf = async (check: HealthCheck): Promise<Pick<CheckResult, 'facts'>> => {
    if (!check.facts) return {}
    // Who cannot answer has no numbers either: `ok` and the log say why.
    const facts = await withinMs(check.facts(), limitMs).catch(() => undefined)
    return facts ? { facts } : {}
  }

  const runOne = async (check: HealthCheck): Promise<CheckResult> => {
    const { name, driver } = check
    try {
      await withinMs(ask(check), limitMs)
      return { name, driver, ok: true, detail: null, ...(await factsOf(check)) }
    } catch (error) {
      return { name, driver, ok: false, detail: toAppError(error).message, ...(await factsOf(check)) }
    }
  }

  return { run: () => Promise.all(checks.map(runOne)) }
}

async function withinMs<T>(work: Promise<T>, limitMs: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new AppError('check-timeout', `no answer within ${formatDuration(limitMs)}`, { retryable: true }))
  }, limitMs)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
