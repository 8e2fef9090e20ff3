import type { Kind, QuarantineReason } from '@pulso/model'
import type { KeptMessage } from '@pulso/stores'

/** One object of measurements as the device sent it, not yet validated. */
export interface RawReading {
  /** The device's time as it wrote it; `undefined` when it sent none. */
  time: unknown
  /** Names and values; `undefined` and `null` mean no value. */
  metrics: Readonly<Record<string, unknown>>
}

/** What a message says, or why it says nothing. */
export type Decoded =
  | {
      type: 'readings'
      readings: readonly (RawReading | Refused)[]
      /** Parts that were not understood, counted like metrics that the kind does not know. */
      unknown?: number
      /**
       * One reading as it would be sent alone, for quarantine and what is replayed from there; our own JSON when absent,
       * `null` where only the message as a whole can be sent again.
       */
      toPayload?: ((reading: RawReading) => unknown) | null
    }
  | { type: 'presence'; presence: 'online' | 'offline' }
  /** Accepted, counted, and of no effect on any sensor. */
  | { type: 'nothing'; unknown?: number }
  | Refused

/** A message, or one element of it, that goes to quarantine. */
export interface Refused {
  type: 'refused'
  reason: QuarantineReason
  /** One sentence for the device's developer. */
  detail: string
  /** The element it is about, as it would be sent alone, when not the whole message. */
  element?: unknown
  /** The one metric it is about. */
  metric?: string
}

export interface DecoderLimits {
  objectsPerMessage: number
}

/** What a decoder may look at beside the message. */
export interface DecoderContext {
  kind: Kind
  limits: DecoderLimits
}

/** Turns a message into measurements. It never throws for what a device may send, and keeps nothing of it. */
export type Decoder = (message: KeptMessage, context: DecoderContext) => Decoded

export function refused(reason: QuarantineReason, detail: string): Refused {
  return { type: 'refused', reason, detail }
}

/** A batch with more objects than a message may have. */
export function tooMany(
  batch: readonly unknown[],
  { objectsPerMessage }: DecoderLimits,
): Refused | undefined {
  if (batch.length <= objectsPerMessage) return undefined
  const detail = `A batch of ${batch.length} objects is more than the ${objectsPerMessage} allowed`
  return refused('batch-too-large', detail)
}
