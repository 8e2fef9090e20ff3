import type { QuarantineSelection } from '@pulso/model'
import type { OpsApi } from './ops-api.ts'

export type QuarantineAction = 'replay' | 'delete'

/** What came of replaying or deleting, so far or in the end. */
export interface StepsOutcome {
  action: QuarantineAction
  entries: number
  /** Came back from the replay. */
  refused: number
  /** False: ingest has not got to all of them, so more may come back. */
  isSettled: boolean
}

/** The box takes a number of entries at a time: asks for step after step, and tells after each how far it is. */
export async function runSteps(
  api: Pick<OpsApi, 'replayQuarantine' | 'purgeQuarantine'>,
  { action, selection }: { action: QuarantineAction; selection: QuarantineSelection },
  onStep: (outcome: StepsOutcome) => void,
): Promise<StepsOutcome> {
  const outcome: StepsOutcome = { action, entries: 0, refused: 0, isSettled: true }
  let next: { through: number } | null = null
  do {
    if (action === 'delete') {
      const step = await api.purgeQuarantine({ ...selection, ...next })
      outcome.entries += step.removed
      next = step.next
    } else {
      const step = await api.replayQuarantine({ ...selection, ...next })
      outcome.entries += step.entries
      outcome.refused += step.refused
      outcome.isSettled = step.settled
      // With a store away, going on would only fill the journal.
      next = step.settled ? step.next : null
    }
    onStep({ ...outcome })
  } while (next)
  return outcome
}
