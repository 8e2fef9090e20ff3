import type { DecodedUplink, Fields, Telemetry, Uplink } from '../../codec.ts'
import { createByteReader, type ByteReader } from './byte-reader.ts'

/** Reads the value of one channel. */
export type Channel = (reader: ByteReader) => Fields

/**
 * Milesight's payloads are a row of channels: one byte for the channel, one for its type, then a value whose length
 * follows from the two.
 * @param channels by channel and type, as in `'01 75'`; those of `20 CE` are entries of the device's history
 * @throws Error when the payload ends within a channel
 */
export function decodeChannels(
  { bytes }: Uplink,
  channels: Readonly<Record<string, Channel>>,
): DecodedUplink {
  const reader = createByteReader(bytes)
  const data: Record<string, unknown> = {}
  const history: Fields[] = []
  while (reader.left() > 0) {
    const id = `${toHex(reader.uint8())} ${toHex(reader.uint8())}`
    const channel = channels[id] ?? COMMON[id]
    // Where an unknown channel ends cannot be known.
    if (!channel) return { data, errors: [`The channel ${id} is unknown, nothing behind it was read`] }
    if (id === HISTORY) data.history = history
    if (id === HISTORY) history.push(channel(reader))
    else Object.assign(data, channel(reader))
  }
  return { data }
}

const HISTORY = '20 CE'

/** What every model tells about itself. */
const COMMON: Readonly<Record<string, Channel>> = {
  '01 75': (reader) => ({ battery: reader.uint8() }),
  'FF 01': (reader) => ({ ipso_version: toVersion(reader.uint8()) }),
  'FF 09': (reader) => ({ hardware_version: `v${reader.uint8()}.${reader.uint8() >> 4}` }),
  'FF 0A': (reader) => ({ firmware_version: `v${reader.uint8()}.${reader.uint8()}` }),
  'FF 0B': (reader) => {
    reader.uint8()
    return { device_status: 'on' }
  },
  'FF 0F': (reader) => ({ lorawan_class: ['A', 'B', 'C', 'C to B'][reader.uint8()] ?? 'unknown' }),
  'FF 16': (reader) => ({ serial_number: reader.hex(8) }),
  'FF FF': (reader) => ({ tsl_version: `v${reader.uint8()}.${reader.uint8()}` }),
}

/** Tenths of a degree Celsius. */
export const temperature: Channel = (reader) => ({ temperature: reader.int16() / 10 })
/** Half percents. */
export const humidity: Channel = (reader) => ({ humidity: reader.uint8() / 2 })
/** Seconds since 1970. */
export const timestamp: Channel = (reader) => ({ timestamp: reader.uint32() })

/** What was measured now, and what the device could not send when it measured it. */
export function toEnvironment(data: Fields): Telemetry[] {
  const history = Array.isArray(data.history) ? (data.history as Fields[]) : []
  return [
    toMetrics(data),
    ...history.map((entry) => ({ time: Number(entry.timestamp) * 1_000, ...toMetrics(entry) })),
  ]
}

/** Humidity and battery come in percent. */
function toMetrics({ temperature, humidity, LAeq, battery }: Fields): Telemetry {
  return { temperature, relativeHumidity: toShare(humidity), LAeq, batteryLevel: toShare(battery) }
}

function toShare(percent: unknown): number | undefined {
  return typeof percent === 'number' ? percent / 100 : undefined
}

function toVersion(byte: number): string {
  return `v${byte >> 4}.${byte & 0x0f}`
}

function toHex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0')
}
