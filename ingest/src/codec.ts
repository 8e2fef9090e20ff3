import { AppError } from '@pulso/model'

/** What a LoRaWAN device sent. */
export interface Uplink {
  /** Tells the device's kinds of messages apart, 1 to 223. */
  fPort: number
  bytes: Uint8Array
}

/** The fields of a payload under the names that its maker gives them. */
export type Fields = Readonly<Record<string, unknown>>

/** As in the LoRa Alliance's payload codec API (TS013). */
export interface DecodedUplink {
  data: Fields
  /** What the device complains about. */
  warnings?: readonly string[]
  /** Parts of the payload that the codec does not know; what it does know is in `data`. */
  errors?: readonly string[]
}

/**
 * What the device would have sent as our own JSON: metrics by name in our units, and a `time` (ISO 8601 or epoch ms)
 * only where it is another one than that of the uplink, as in a history.
 */
export type Telemetry = Readonly<Record<string, unknown>>

/**
 * Reads one type of LoRaWAN device. A new device is one file that default-exports this, in `ingest/src/codecs/` or in
 * the city's own folder of codecs (`PULSO_CODECS_DIR`).
 */
export interface Codec {
  /** As `pulso device … --codec NAME` says it: `a-z`, digits and `-`, at most 64. */
  name: string
  /** Maker and model, for people. */
  title: string
  /** Reads the bytes. What it throws sends the message to quarantine with that sentence; so does reading past the end. */
  decode(uplink: Uplink): DecodedUplink
  /** Our metrics among the fields: one object, several where the payload holds several times, or none. */
  toMetrics(data: Fields): Telemetry | readonly Telemetry[]
}

/** The codecs of this city, by name. */
export type Codecs = ReadonlyMap<string, Codec>

const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/

/**
 * Checks a codec's definition, so that a mistake shows at start and not with the first uplink.
 * @throws AppError `invalid-codec`
 */
export function defineCodec(codec: Codec): Codec {
  const { name, title, decode, toMetrics } = codec as { [key in keyof Codec]: unknown }
  const mistakes: string[] = []
  if (typeof name !== 'string' || !NAME.test(name)) mistakes.push(`name must match ${NAME.source}`)
  if (typeof title !== 'string' || title === '') mistakes.push('title must be a text')
  if (typeof decode !== 'function') mistakes.push('decode must be a function')
  if (typeof toMetrics !== 'function') mistakes.push('toMetrics must be a function')
  if (mistakes.length > 0) {
    const message = `The codec '${String(name)}' has mistakes: ${mistakes.join('; ')}`
    throw new AppError('invalid-codec', message, { details: mistakes })
  }
  return codec
}
