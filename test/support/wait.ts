import { setTimeout as delay } from 'node:timers/promises'

/** Asks again until the answer is there, and says what the last answer was when it never comes. */
export async function waitFor<T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { what, timeoutMs = 10_000, everyMs = 25 }: { what: string; timeoutMs?: number; everyMs?: number },
): Promise<T> {
  const endMs = performance.now() + timeoutMs
  let lastError: unknown
  while (performance.now() < endMs) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
    } catch (error) {
      lastError = error
    }
    await delay(everyMs)
  }
  throw new Error(`waited ${timeoutMs} ms for ${what}`, { cause: lastError })
}
