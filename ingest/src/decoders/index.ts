import type { UpChannel } from '@pulso/model'
import { decodeCommandResult } from './command-result.ts'
import type { Decoder } from './decoder.ts'
import { decodePresence } from './presence.ts'
import { decodeSenml } from './senml.ts'
import { decodeTelemetry } from './telemetry.ts'

export type * from './decoder.ts'
export { decodeDeviceApi } from './device-api.ts'
export { decodeUplink, parseUplink } from './uplink.ts'

/** Which file reads which of our channels. */
export const DECODERS: Readonly<Record<UpChannel, Decoder>> = {
  telemetry: decodeTelemetry,
  senml: decodeSenml,
  presence: decodePresence,
  'command/result': decodeCommandResult,
}
