import type { Fields } from '../../../codec.ts'
import { bits, fields, int8, listOf, packet, uint8, type Input, type Part } from './layout.ts'
import { address, anyDevice, daliStatus, days, level, timestamp, toLightText } from './values.ts'

const radio = fields({
  downlink_rssi__dBm: (input) => -input.uint8(),
  downlink_snr__dB: int8,
  mcu_temperature__C: int8,
})

const ALERTS = [
  'voltage_alert_in_24h',
  'lamp_error_alert_in_24h',
  'power_alert_in_24h',
  'power_factor_alert_in_24h',
]
const alertBits = bits(null, null, null, null, ...ALERTS)

/** Why a lamp of firmware 1.0 shines as it does, where it is not a profile's number. */
const REASONS_1_0: Readonly<Record<number, string>> = {
  246: 'driver_not_found',
  247: 'calendar_active',
  248: 'init_active',
  249: 'profile_not_active',
  250: 'ldr_input_active',
  252: 'dig_input_active',
  253: 'manual_active',
  254: 'value_differ',
}
const FIRST_REASON_1_0 = 240

export function profileVersion(input: Input): number | string {
  const value = input.uint8()
  return value < FIRST_REASON_1_0 ? value : toReason(REASONS_1_0, value, input)
}

const profile = fields({
  profile_id: (input) => {
    const id = input.uint8()
    return id === 255 ? 'no_profile' : id
  },
  profile_version: profileVersion,
  address: anyDevice,
  days_active: days,
  dimming_level__percent: level('resume'),
})

/** Firmware 1.0. */
export const STATUS_1_0 = packet('status_packet', fields({ device_unix_epoch: timestamp }), (input) => {
  const { dali_error_external, dali_connection_error, hardware_error, ...inputs } = bits(
    'dali_error_external',
    'dali_connection_error',
    'ldr_input_on',
    null,
    'dig_input_on',
    'hardware_error',
    null,
    'internal_relay_closed',
  )(input)
  if (dali_error_external) input.warnings.push('dali_external_error')
  warnOf({ dali_connection_error, hardware_error }, input)
  const measured = radio(input)
  const second = bits(null, 'isLdrSent', 'open_drain_output_on', null, ...ALERTS)(input)
  const { isLdrSent, open_drain_output_on, ...alerts } = second
  return {
    status: { dali_error_external, dali_connection_error, ...inputs, hardware_error, open_drain_output_on },
    ...measured,
    analog_interfaces: alerts,
    ...(isLdrSent ? { ldr_input_value: input.uint8() } : {}),
    profiles: listOf(profile)(input),
  }
})

const REASONS_1_1: Readonly<Record<number, string>> = {
  0x21: 'calendar_day',
  0x22: 'calendar_night',
  0x70: 'dig_inactive',
  0x71: 'dig_active',
  245: 'relay_off',
  246: 'driver_not_found',
  248: 'fallback_active',
  250: 'ldr_input_active',
  252: 'dig_input_active',
  253: 'manual_active',
  ...numbered('profile_', { from: 0x00, count: 8 }),
  ...numbered('calendar_dawn_step_', { from: 0x30, count: 16 }),
  ...numbered('calendar_dusk_step_', { from: 0x50, count: 16 }),
  ...numbered('light_monitor_step_', { from: 0x80, count: 8 }),
}

const dimmingSource: Part<Fields> = (input) => {
  const about = address()(input)
  return {
    address: about,
    reason: toReason(REASONS_1_1, input.uint8(), input),
    dimming_level__percent: level('n/a')(input),
    status: daliStatus(about)(input),
  }
}

/** Firmware 1.1: the first byte is 0 before 1.1.4, which says the same in fewer bytes. */
export const STATUS_1_1 = packet('status_packet', (input) => {
  const header = input.uint8()
  if (header > 1) throw new Error(`There is no status packet of type ${header}`)
  return header === 0 ? readEarlyStatus(input) : readStatus(input)
})

const STATUS_BITS = [null, 'dali_connection_error', null, null, null, 'metering_com_error', 'ext_rtc_warning']

function readStatus(input: Input): Fields {
  const time = timestamp(input)
  const first = bits(...STATUS_BITS, 'internal_relay_closed')(input)
  warnOf(first, input, 'internal_relay_closed')
  const second = bits(
    null,
    null,
    'open_drain_output_on',
    null,
    null,
    null,
    'lumalink_connected',
    'lumalink_connected_after_boot',
  )(input)
  return {
    device_unix_epoch: time,
    status: { ...first, ...second },
    ...radio(input),
    active_alerts: readAlerts(input),
    sensor_source: readSensors(input),
    dimming_source: listOf(dimmingSource)(input),
  }
}

function readEarlyStatus(input: Input): Fields {
  const time = timestamp(input)
  const first = bits(
    null,
    'dali_connection_error',
    'ldr_input_on',
    null,
    'dig_input_on',
    'metering_com_error',
    'ext_rtc_warning',
    'internal_relay_closed',
  )(input)
  const { dali_connection_error, metering_com_error, ext_rtc_warning } = first
  warnOf({ dali_connection_error, metering_com_error, ext_rtc_warning }, input)
  const measured = radio(input)
  const { isLdrSent, hasAlerts, open_drain_output_on } = bits(
    null,
    'isLdrSent',
    'open_drain_output_on',
    null,
    'hasAlerts',
  )(input)
  return {
    device_unix_epoch: time,
    status: { ...first, open_drain_output_on },
    ...measured,
    ...(isLdrSent ? { ldr_input_value: input.uint8() } : {}),
    ...(hasAlerts ? { active_alerts: readAlerts(input) } : {}),
    dimming_source: listOf(dimmingSource)(input),
  }
}

function readAlerts(input: Input): Fields {
  const alerts = alertBits(input)
  warnOf(alerts, input)
  return alerts
}

/** Light on a logarithmic scale, in thousandths of a lux. */
const light: Part<string> = (input) => {
  const raw = input.uint16()
  return raw === 0xffff ? 'unavailable' : toLightText(10 ** ((raw & 0x7fff) / 4_000) / 1_000)
}

const SENSORS: Readonly<Record<number, Part<Fields>>> = {
  0x01: fields({ ldr_input: uint8 }),
  0x02: fields({ light_sensor__lx: light }),
  0x03: fields({ d4i_light_sensor__lx: light }),
  0x04: bits('dig_input_1_on'),
  0x08: fields({
    tilt_sensor__deg: (input) => {
      const degrees = input.uint8()
      return degrees === 255 ? null : degrees
    },
  }),
}

/** The first byte says how long they are together, so that what is unknown can be passed over. */
function readSensors(input: Input): Fields {
  const sources: Record<string, unknown> = {}
  const byteCount = input.uint8()
  const leftBehind = input.left() - byteCount
  while (input.left() > leftBehind) {
    const read = SENSORS[input.uint8()]
    if (read) Object.assign(sources, read(input))
    else {
      input.errors.push('unsupported_sensor_source')
      input.bytes(input.left() - leftBehind)
    }
  }
  if (input.left() < leftBehind || leftBehind < 0) throw new Error('The sensors are longer than they say')
  return sources
}

function warnOf(
  flags: Readonly<Record<string, boolean | undefined>>,
  { warnings }: Input,
  except?: string,
): void {
  for (const [name, isSet] of Object.entries(flags)) if (isSet && name !== except) warnings.push(name)
}

function toReason(reasons: Readonly<Record<number, string>>, value: number, { errors }: Input): string {
  const reason = reasons[value]
  if (reason !== undefined) return reason
  const word = value === 255 ? 'unknown' : 'invalid'
  errors.push(`${word}_reason`)
  return value === 255 ? 'unknown' : 'invalid_reason'
}

function numbered(prefix: string, { from, count }: { from: number; count: number }): Record<number, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [from + index, `${prefix}${index}`]))
}
