import type { QuarantineSelection } from '@pulso/model'
import type { OpsApi } from './ops-api.ts'
import { runSteps, type QuarantineAction, type StepsOutcome } from './quarantine-steps.ts'

/** What an operator is about to do, for the question whether they mean it. */
export interface QuarantineIntent {
  action: QuarantineAction
  selection: QuarantineSelection
  /** How many entries it is about, as far as the page knows. */
  count: number
  /** Which these are, in words. */
  about: string
}

export interface QuarantineWork {
  readonly intent: QuarantineIntent | null
  readonly isBusy: boolean
  /** So far while it is busy, then in the end. */
  readonly outcome: StepsOutcome | null
  readonly error: unknown
  ask(intent: QuarantineIntent): void
  cancel(): void
  /** Does what was asked about. */
  confirm(): Promise<void>
  dismiss(): void
}

/** Replaying and deleting: asked about first, then done step by step. One at a time. */
export function createQuarantineWork(api: OpsApi, onDone: () => void): QuarantineWork {
  let intent = $state.raw<QuarantineIntent | null>(null)
  let isBusy = $state(false)
  let outcome = $state.raw<StepsOutcome | null>(null)
  let error = $state.raw<unknown>(null)

  return {
    get intent() {
      return intent
    },
    get isBusy() {
      return isBusy
    },
    get outcome() {
      return outcome
    },
    get error() {
      return error
    },
    ask(wanted) {
      if (!isBusy) intent = wanted
    },
    cancel() {
      intent = null
    },
    async confirm() {
      const wanted = intent
      if (!wanted || isBusy) return
      intent = null
      isBusy = true
      error = null
      outcome = null
      try {
        outcome = await runSteps(api, wanted, (soFar) => (outcome = soFar))
      } catch (thrown) {
        error = thrown
      } finally {
        isBusy = false
        onDone()
      }
    },
    dismiss() {
      outcome = null
      error = null
    },
  }
}
