import type { QuarantineReason } from '@pulso/model'

/** One object of measurements as the device sent it, not yet validated. */
export interface RawReading {
  /** The device's time as it wrote it; `undefined` when it sent none. */
  time: unknown
  /** Names and values; `undefined` and `null` mean no value. */
  metrics: Readonly<Record<string, unknown>>
}

/** What a message says, or why it says nothing. */
export type Decoded =
  | { type: 'readings'; readings: readonly (RawReading | Refused)[] }
  | { type: 'presence'; presence: 'online' | 'offline' }
  /** Accepted, counted, and of no effect on any sensor. */
  | { type: 'nothing' }
  | Refused

/** A message, or one element of it, that goes to quarantine. */
export interface Refused {
  type: 'refused'
  reason: QuarantineReason
  /** One sentence for the device's developer. */
  detail: string
  /** The element it is about, when not the whole message. */
  element?: unknown
}

export interface DecoderLimits {
  objectsPerMessage: number
}

/** Turns a payload into measurements. It never throws for what a device may send, and keeps nothing of it. */
export type Decoder = (payload: Uint8Array, limits: DecoderLimits) => Decoded

export function refused(reason: QuarantineReason, detail: string): Refused {
  return { type: 'refused', reason, detail }
}
