import type { Fields } from '../../codec.ts'
import type { ByteReader } from './byte-reader.ts'

const RESET_CAUSES: Readonly<Record<number, string>> = {
  0: 'rejoining_lorawan_network',
  1: 'watchdog',
  2: 'power_on',
  3: 'user_request',
  6: 'brownout',
  7: 'other',
}

/** The first message after a start, alike in all models. */
export function readStartup(reader: ByteReader): Fields {
  return {
    type: 'startup',
    firmware_version: `${reader.uint8()}.${reader.uint8()}.${reader.uint8()}`,
    reset_cause: RESET_CAUSES[reader.uint8()] ?? 'unknown',
  }
}

/** @param step a battery's byte: steps of 4 mV from 2.5 V */
export function toVolts(step: number): number {
  return (2_500 + step * 4) / 1_000
}

/** @throws Error for a port that the model does not use */
export function refusePort(fPort: number): never {
  throw new Error(`Nothing is known of port ${fPort}`)
}
