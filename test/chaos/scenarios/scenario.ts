import type { Trial, TrialOptions } from '../support/trial.ts'

/** What every scenario is given. */
export interface ScenarioContext {
  kills: number
  seed: number
  /** An empty folder of its own. */
  folder: string
  messagesPerSecond: number
  /** The longest time under load before something happens. */
  longestLoadMs: number
  say: (text: string) => void
  /** Makes the scenario's box; it is ended with the scenario. */
  createTrial(options?: Partial<TrialOptions>): Promise<Trial>
}

/** A way to hurt the box. */
export interface Scenario {
  name: string
  /** A sentence for people. */
  title: string
  /** Why it cannot run here, or false. */
  skip(): string | false
  run(context: ScenarioContext): Promise<void>
}
