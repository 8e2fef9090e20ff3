import type { JsonObject } from './json.ts'

/** What an uplink says, whichever network carried it. */
export interface Envelope {
  /** 16 hex digits, upper case. */
  devEui: string
  /** Absent or 0 where the frame has no payload of the device's. */
  fPort: unknown
  /** Base64. */
  payload: unknown
  /** What the network's own codec made of it. */
  fields: unknown
  /** When the network received it. */
  time: unknown
  /** In dBm, by each gateway that heard it. */
  rssi: readonly unknown[]
}

/** Reads one network's JSON; `undefined` when it names no device. */
export type EnvelopeParser = (
  json: JsonObject,
) => (Omit<Envelope, 'devEui'> & { devEui: unknown }) | undefined
