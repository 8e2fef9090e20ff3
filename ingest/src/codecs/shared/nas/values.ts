import type { Fields } from '../../../codec.ts'
import { bits, orWord, uint8, type Part } from './layout.ts'

const FIRST_VALID_S = Date.UTC(2015, 0, 1) / 1_000

/** Seconds since 1970; the luminaire's clock starts near 0 when it has lost the time. */
export const timestamp: Part<string> = (input) => {
  const seconds = input.uint32()
  if (seconds >= FIRST_VALID_S) return new Date(seconds * 1_000).toISOString()
  input.warnings.push('invalid_timestamp')
  return 'invalid_timestamp'
}

/**
 * Whom a part is about, as DALI addresses it: the upper bits are the number, the lowest one is not used.
 * @param everyone what 255 means here; without it 255 is a mistake
 */
export function address(everyone?: string): Part<string> {
  return (input) => {
    const byte = input.uint8()
    if (byte === 0x01) return 'analog_0_10v'
    if (byte === 0xfe) return 'dali_broadcast'
    if (byte === 0xff && everyone !== undefined) return everyone
    if ((byte & 1) === 1) {
      input.warnings.push('invalid_address')
      return 'invalid'
    }
    return byte >= 0x80 ? `dali_group_${(byte >> 1) & 0x0f}` : `dali_single_${byte >> 1}`
  }
}

export const anyDevice = address('all_devices')

/** Percent; what 255 means depends on the packet. */
export function level(none: string): Part<number | string | null> {
  return orWord(uint8, { 255: none })
}

const DALI_STATUS = [
  'driver_error',
  'lamp_failure',
  'lamp_on',
  'limit_error',
  'fade_running',
  'reset_state',
  'missing_short_address',
  'power_failure',
] as const
const DALI_WARNINGS: readonly string[] = [
  'driver_error',
  'lamp_failure',
  'limit_error',
  'reset_state',
  'power_failure',
]
const ALL_BITS = DALI_STATUS.length

/** What a driver says of itself (IEC 62386-102); all bits set means that it says nothing. */
export function daliStatus(about: string): Part<Record<string, boolean>> {
  const read = bits(...DALI_STATUS)
  return (input) => {
    const status = read(input)
    const set = DALI_STATUS.filter((name) => status[name])
    if (set.length === ALL_BITS) return Object.fromEntries(DALI_STATUS.map((name) => [name, false]))
    for (const name of set) if (DALI_WARNINGS.includes(name)) input.warnings.push(`${about} ${name}`)
    return status
  }
}

export const driverStatus: Part<Fields> = (input) => {
  const about = address()(input)
  return { address: about, status: daliStatus(about)(input) }
}

const DAYS = ['holiday', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

export const days: Part<string[]> = (input) => {
  const active = bits(...DAYS)(input)
  return DAYS.filter((day) => active[day])
}

/** DALI's fade times in seconds, by code. */
const FADES_S = [0.5, 0.71, 1, 1.41, 2, 2.83, 4, 5.66, 8, 11.31, 16, 22.63, 32, 45.25, 64, 90.51]

export const fade: Part<number | string> = (input) => {
  const code = input.uint8()
  if (code === 255) return 'ignore'
  const seconds = FADES_S[code]
  if (seconds === undefined) input.errors.push('invalid_fade')
  return seconds ?? 'invalid_fade'
}

/** Ten minutes each. */
export const timeOfDay: Part<string> = (input) => {
  const minutes = input.uint8() * 10
  return `${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`
}

export const monthAndDay: Part<string> = (input) => `${twoDigits(input.uint8())}/${twoDigits(input.uint8())}`

/** Eight hex digits. */
export const serial: Part<string> = (input) => input.uint32().toString(16).toUpperCase().padStart(8, '0')

export const hex =
  (count?: number): Part<string> =>
  (input) =>
    input.hex(count)

/** Four digits that count, in words of the maker's tools: `24.50`, `123.4`. */
export function toLightText(lux: number): string {
  const magnitude = Math.min(3, Math.max(0, Math.log10(lux)))
  return lux.toFixed(3 - Math.trunc(magnitude))
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}
