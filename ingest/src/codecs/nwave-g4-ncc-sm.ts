import { defineCodec, type Fields } from '../codec.ts'
import { createByteReader, type ByteReader } from './shared/byte-reader.ts'
import { readStartup, refusePort, toVolts } from './shared/nwave.ts'

/** Counts vehicles that pass. None of our kinds measures that, so its messages are only counted. */
export default defineCodec({
  name: 'nwave-g4-ncc-sm',
  title: 'Nwave G4 NCC SM (vehicle counter)',
  decode: ({ fPort, bytes }) => ({ data: readMessage(fPort, createByteReader(bytes)) }),
  toMetrics: () => ({}),
})

function readMessage(fPort: number, reader: ByteReader): Fields {
  switch (fPort) {
    case 1:
      return { type: 'counter_update', counter_value: reader.uint8() * 256 + reader.uint8() }
    case 2:
      return {
        type: 'heartbeat',
        hw_health_status: reader.uint8() & 0x7f,
        battery_voltage: toVolts(reader.uint8()),
        battery_voltage_mean_24h: toVolts(reader.uint8()),
      }
    case 3:
      return readStartup(reader)
    case 6:
      return { type: 'debug', bytes: reader.hex() }
    default:
      return refusePort(fPort)
  }
}
