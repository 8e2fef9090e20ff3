import { defineCodec, type Fields } from '../codec.ts'
import { createByteReader, type ByteReader } from './shared/byte-reader.ts'
import { readStartup, refusePort, toVolts } from './shared/nwave.ts'

/** A parking space's sensor. A message on each change, a heartbeat in between. */
export default defineCodec({
  name: 'nwave-g4-nps-sm',
  title: 'Nwave G4 NPS SM (parking)',
  decode({ fPort, bytes }) {
    return { data: readMessage(fPort, createByteReader(bytes)) }
  },
  toMetrics({ occupied }) {
    if (typeof occupied !== 'boolean') return {}
    return { status: occupied ? 'occupied' : 'free' }
  },
})

function readMessage(fPort: number, reader: ByteReader): Fields {
  switch (fPort) {
    case 1: {
      const byte = reader.uint8()
      return { type: 'parking_status', occupied: isOdd(byte), ...toDuration(byte >> 1) }
    }
    case 2:
      return readHeartbeat(reader)
    case 3:
      return { ...readStartup(reader), occupied: isOdd(reader.uint8()) }
    case 6:
      return { type: 'debug', bytes: reader.hex() }
    case 10: {
      const byte = reader.uint8()
      const state = isOdd(byte) ? { occupied: true, ...toDuration(byte >> 1) } : {}
      return { type: 'user_registration', ...state, tag_id: reader.hex(4) }
    }
    default:
      return refusePort(fPort)
  }
}

function readHeartbeat(reader: ByteReader): Fields {
  const byte = reader.uint8()
  const volts = toVolts(reader.int8())
  const temperature = reader.int8() / 2 + 10
  // A cold battery gives less without being worse.
  const [criticalVolts, lowVolts] = temperature < -5 ? [2.8, 2.9] : [2.9, 3]
  const worst = volts < criticalVolts ? 'critical' : 'low'
  return {
    type: 'heartbeat',
    occupied: isOdd(byte),
    hw_health_status: byte & 0x7f,
    temperature,
    battery_voltage: volts,
    battery_health: volts < lowVolts ? worst : 'normal',
  }
}

/** Minutes in seven bits: each one up to 90, then steps of 5 up to 4 h, then hours up to 11 h. */
function toDuration(code: number): Fields {
  const [minutes, error] = [toMinutes(code), toError(code)]
  return {
    previous_state_duration: minutes,
    previous_state_duration_error: error,
    previous_state_duration_overflow: code === LONGEST,
  }
}

const LONGEST = 127

function toMinutes(code: number): number {
  if (code < 90) return code
  return code < 120 ? 90 + (code - 90) * 5 : 240 + (code - 120) * 60
}

/** By how many minutes it may have been longer; `null` when nobody knows. */
function toError(code: number): number | null {
  if (code === LONGEST) return null
  if (code < 90) return 0
  return code < 120 ? 4 : 59
}

function isOdd(byte: number): boolean {
  return (byte & 1) === 1
}
