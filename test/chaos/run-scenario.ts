import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scenario } from './scenarios/index.ts'
import type { Tally } from './support/ledger.ts'
import { createTrial, TrialFailed, type Trial, type TrialOutcome } from './support/trial.ts'

export interface RunScenarioOptions {
  kills: number
  seed: number
  messagesPerSecond?: number
  longestLoadMs?: number
  say?: (text: string) => void
  /** Leaves the folder of a failed run behind, for a look at it. */
  keepFolder?: boolean
}

export interface ScenarioReport extends TrialOutcome, Tally {
  scenario: string
  seed: number
  elapsedMs: number
  /** Left behind after a failure. */
  folder?: string
}

/** Runs one scenario to its end or its first problem. */
export async function runScenario(scenario: Scenario, options: RunScenarioOptions): Promise<ScenarioReport> {
  const { kills, seed, messagesPerSecond = 1_500, longestLoadMs = 2_500, keepFolder = false } = options
  const say = options.say ?? (() => undefined)
  const folder = await mkdtemp(join(tmpdir(), `pulso-chaos-${scenario.name}-`))
  const startedMs = performance.now()
  let trial: Trial | undefined
  let isFailed = false
  try {
    await scenario.run({
      kills,
      seed,
      folder,
      messagesPerSecond,
      longestLoadMs,
      say,
      async createTrial(own = {}) {
        trial = await createTrial({ seed, dataDir: join(folder, 'data'), messagesPerSecond, say, ...own })
        return trial
      },
    })
  } catch (error) {
    isFailed = true
    if (!(error instanceof TrialFailed)) throw error
    say(`${scenario.name} failed: ${error.message}`)
  } finally {
    await trial?.close()
    if (!isFailed || !keepFolder) await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  if (!trial) throw new Error(`${scenario.name} has made no trial`)
  const { outcome, ledger } = trial
  return {
    scenario: scenario.name,
    seed,
    ...outcome,
    ...ledger.tally,
    elapsedMs: performance.now() - startedMs,
    ...(isFailed && keepFolder && { folder }),
  }
}
