import type { Sensor } from '@pulso/model'
import type { IngestState, KeptMessage, QuarantineEntry } from '@pulso/stores'
import { createBatchDraft, setAside, toStates, type BatchContext } from './batch-draft.ts'
import type { Identities } from './identities.ts'
import { takeMessage } from './take-message.ts'

export type { BatchContext } from './batch-draft.ts'

/** What a run of messages changes. */
export interface Batch {
  /** How many of the messages it took: a limit may have closed it before the last. */
  messages: number
  /** The journal's position that it ends at. */
  position: number
  oldestReceivedAtMs: number
  identities: Identities
  newSensors: readonly Sensor[]
  states: readonly IngestState[]
  quarantine: readonly QuarantineEntry[]
  unknownMetrics: number
  /** Uplinks that were understood and say nothing that a kind measures. */
  withoutMetric: number
  /** Messages by channel. */
  channels: Readonly<Record<string, number>>
}

/**
 * Works a run of messages out in memory, in order, without waiting for anything and without changing anything.
 * @param onUnexpected told of what should never be: a message that our own code failed on
 */
export function createBatch(
  messages: readonly KeptMessage[],
  context: BatchContext,
  onUnexpected: (error: unknown, message: KeptMessage) => void,
): Batch {
  const { batchReadings, batchQuarantineEntries, batchQuarantineBytes } = context.limits
  const draft = createBatchDraft(context)
  let [taken, position] = [0, 0]
  for (const message of messages) {
    try {
      takeMessage(draft, message)
    } catch (error) {
      // One message that we fail on must not hold up all that come after it.
      onUnexpected(error, message)
      setAside(draft, message, { reason: 'invalid-payload', detail: 'The message could not be worked on' })
    }
    taken++
    position = message.position
    const isFull =
      draft.identities.count() >= batchReadings ||
      draft.quarantine.length >= batchQuarantineEntries ||
      draft.quarantineBytes >= batchQuarantineBytes
    if (isFull) break
  }
  return {
    messages: taken,
    position,
    oldestReceivedAtMs: messages[0]?.receivedAtMs ?? 0,
    identities: draft.identities,
    newSensors: draft.newSensors,
    states: toStates(draft),
    quarantine: draft.quarantine,
    unknownMetrics: draft.unknownMetrics,
    withoutMetric: draft.withoutMetric,
    channels: draft.channels,
  }
}
