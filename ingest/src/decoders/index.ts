import type { UpChannel } from '@pulso/model'
import { decodeCommandResult } from './command-result.ts'
import type { Decoder } from './decoder.ts'
import { decodePresence } from './presence.ts'
import { decodeTelemetry } from './telemetry.ts'

export type * from './decoder.ts'

/** Which file reads which channel. */
export const DECODERS: Readonly<Record<UpChannel, Decoder>> = {
  telemetry: decodeTelemetry,
  presence: decodePresence,
  'command/result': decodeCommandResult,
}
