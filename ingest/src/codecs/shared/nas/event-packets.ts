import type { Fields } from '../../../codec.ts'
import {
  bits,
  fields,
  listOf,
  packet,
  scaled,
  uint16,
  uint8,
  wordOf,
  type Input,
  type PacketTable,
  type Part,
} from './layout.ts'
import { driverStatus, serial, timestamp } from './values.ts'

const ALERTS = ['lamp_error', 'over_current', 'under_voltage', 'over_voltage', 'low_power_factor']

/** What happened; the second byte holds a length in its upper half and sometimes a flag below. */
function events(noun: string): PacketTable {
  return {
    0x80: packet(`dig_input_${noun}`, (input) => {
      const second = input.uint8()
      if (second >> 4 === 2) return { dig_input_event_counter: input.uint16() }
      if (second >> 4 !== 4) throw new Error('A digital input has two or four bytes')
      return { dig_input_on: (second & 1) === 1, dig_input_event_counter: input.uint32() }
    }),
    0x81: packet(`ldr_input_${noun}`, skip, bits('ldr_input_on'), fields({ ldr_input_value: uint8 })),
    0x83: packet('dali_driver_alert', skip, fields({ drivers: listOf(driverStatus) })),
    0x84: packet(
      'metering_alert',
      (input) => {
        const alerts = bits(...ALERTS.map((name) => `${name}_alert`))(input)
        for (const name of ALERTS) if (alerts[`${name}_alert`]) input.warnings.push(`metering_${name}`)
        return alerts
      },
      fields({ power__W: uint16, voltage__V: uint16, power_factor: scaled(uint8, 100) }),
    ),
  }
}

export const EVENTS_1_0: PacketTable = events('alert')

export const EVENTS_1_1: PacketTable = {
  ...events('notification'),
  0x85: packet('deprecated_light_sensor_notification', fields({ active_dim_step: uint8 })),
  0x86: packet('location_notification', (input) => {
    const status = wordOf(
      { 0: 'good_fix', 1: 'no_fix', 2: 'internal_error', 255: 'internal_error' },
      'invalid_status',
    )(input)
    return status === 'good_fix'
      ? { location_status: status, ...readFix(input) }
      : { location_status: status }
  }),
}

const readFix: Part<Fields> = fields({
  latitude__deg: (input) => input.float32().toFixed(6),
  longitude__deg: (input) => input.float32().toFixed(6),
  last_fix_utc_time: timestamp,
})

const DEVICE_CONFIGS: Readonly<Record<number, string>> = {
  0: 'dali',
  1: 'dali_nc',
  2: 'dali_no',
  3: 'analog_nc',
  4: 'analog_no',
  5: 'dali_analog_nc',
  6: 'dali_analog_no',
  7: 'dali_analog_nc_no',
}

/** Why a luminaire refused what it was sent. */
const REFUSALS: Readonly<Record<number, string>> = {
  0x00: 'n/a',
  0x01: 'n/a',
  0x02: 'unknown_fport',
  0x03: 'packet_size_short',
  0x04: 'packet_size_long',
  0x05: 'value_error',
  0x06: 'protocol_parse_error',
  0x07: 'reserved_flag_set',
  0x08: 'invalid_flag_combination',
  0x09: 'unavailable_feature_request',
  0x0a: 'unsupported_header',
  0x0b: 'unreachable_hw_request',
  0x0c: 'address_not_available',
  0x0d: 'internal_error',
  0x0e: 'packet_size_error',
  0x81: 'profile_id_seq_error',
  0x82: 'profile_destination_eror',
  0x83: 'profile_days_error',
  0x84: 'profile_step_count_error',
  0x85: 'profile_step_value_error',
  0x86: 'profile_step_unsorted_error',
}

const RESET_REASONS = [
  'reset_0',
  'watchdog_reset',
  'soft_reset',
  'reset_3',
  'reset_4',
  'reset_5',
  'reset_6',
  'reset_7',
]

export const SYSTEM_EVENTS: PacketTable = {
  0x00: packet(
    'boot_packet',
    fields({
      device_serial: serial,
      firmware_version: (input) => `${input.uint8()}.${input.uint8()}.${input.uint8()}`,
      device_unix_epoch: timestamp,
      device_config: wordOf(DEVICE_CONFIGS, 'invalid_config'),
      optional_features: bits(null, null, 'dig_input', 'ldr_input', 'open_drain_output', 'metering'),
    }),
    readDaliSupply,
    readDrivers,
    (input) => (input.left() === 0 ? {} : { reset_reason: readResetReasons(input) }),
  ),
  0x13: packet('invalid_downlink_packet', fields({ downlink_from_fport: uint8 }), (input) => {
    const reason = REFUSALS[input.uint8()] ?? 'invalid_error_code'
    input.warnings.push(`downlink_error ${reason}`)
    return { error_reason: reason }
  }),
}

function skip(input: Input): Fields {
  input.uint8()
  return {}
}

function readDaliSupply(input: Input): Fields {
  const byte = input.uint8()
  const source = (byte & 0x80) === 0 ? 'internal' : 'external'
  return { dali_supply_state__V: toSupply(byte & 0x7f, input), dali_power_source_external: source }
}

function toSupply(state: number, { warnings }: Input): number | string {
  if (state < 0x70) return state
  if (state === 0x7e) return 'bus_high'
  if (state !== 0x7f) return 'invalid_value'
  warnings.push('dali_bus_error')
  return 'bus_error'
}

function readDrivers(input: Input): Fields {
  const byte = input.uint8()
  const isOneUnaddressed = (byte & 0x80) !== 0
  if (isOneUnaddressed) input.warnings.push('unadressed_dali_driver_on_bus')
  return { dali_addressed_driver_count: byte & 0x7f, dali_unaddressed_driver_found: isOneUnaddressed }
}

function readResetReasons(input: Input): string[] {
  const set = bits(...RESET_REASONS)(input)
  if (set.watchdog_reset) input.warnings.push('watchdog_reset')
  return RESET_REASONS.filter((name) => set[name])
}
