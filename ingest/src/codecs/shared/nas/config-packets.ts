import type { Fields } from '../../../codec.ts'
import {
  bits,
  byHeader,
  fields,
  int16,
  int32,
  listOf,
  orWord,
  packet,
  scaled,
  toText,
  uint16,
  uint32,
  uint8,
  type Input,
  type PacketTable,
  type Part,
} from './layout.ts'
import { anyDevice, hex, level, serial, timeOfDay, timestamp } from './values.ts'

const ALERT_OFF_16 = { 65535: 'alert_off' }

export const position: Part<Fields> = fields({
  latitude__deg: scaled(int32, 10_000_000),
  longitude__deg: scaled(int32, 10_000_000),
})
export const coarsePosition: Part<Fields> = fields({
  latitude__deg: scaled(int16, 100),
  longitude__deg: scaled(int16, 100),
})
export const textAddress =
  (byteCount: number): Part<Fields> =>
  (input) => ({ address: toText(input.bytes(byteCount)) })
export const dimmingStep = fields({ step_time: timeOfDay, dimming_level__percent: level('inactive') })
export const reset =
  (target: string, layout: Readonly<Record<string, Part<unknown>>> = {}): Part<Fields> =>
  (input) => ({
    reset_target: target,
    ...fields(layout)(input),
  })
const multicastDevice: Part<string> = (input) => {
  const device = input.uint8()
  return device === 255 ? 'all_multicast_devices' : `multicast_device_${device}`
}
const reversedHex =
  (count: number): Part<string> =>
  (input) =>
    Buffer.from(input.bytes(count)).reverse().toString('hex').toUpperCase()

export const RESETS: PacketTable = {
  0x52: reset('multicast_config', { multicast_device: multicastDevice }),
  0xff: reset('factory_reset', { device_serial: serial }),
}

/** How both firmwares say what they are set to. */
export const CONFIGS: PacketTable = {
  0x01: packet(
    'deprecated_ldr_input_config_packet',
    fields({
      ldr_off_threshold_high: orWord(uint8, { 255: 'disabled' }),
      ldr_on_threshold_low: orWord(uint8, { 255: 'disabled' }),
    }),
    bits(null, null, 'trigger_alert_enabled'),
  ),
  0x03: packet(
    'deprecated_dig_input_config_packet',
    fields({ light_on_duration__s: orWord(uint16, { 65535: 'dig_input_disabled' }) }),
    bits(null, 'signal_edge_rising', 'trigger_alert_enabled'),
    fields({ address: anyDevice, dimming_level__percent: level('disabled') }),
  ),
  0x05: packet(
    'open_drain_output_config_packet',
    fields({
      switching_steps: listOf(
        fields({ step_time: timeOfDay, open_drain_output_on: (input) => input.uint8() !== 0 }),
      ),
    }),
  ),
  0x07: packet('status_config_packet', fields({ status_interval__s: uint32 })),
  0x09: packet('time_config_packet', fields({ device_unix_epoch: timestamp })),
  0x0b: packet('usage_config_packet', fields({ usage_interval__s: uint32 }), (input) => {
    const volts = input.uint8()
    return volts === 255 ? {} : { mains_voltage__V: volts }
  }),
  0x0d: packet(
    'boot_delay_config_packet',
    fields({ boot_delay_range__s: (input) => (input.left() === 1 ? input.uint8() : input.uint16()) }),
  ),
  0x15: packet('onboard_led_config_packet', bits('status_led_enabled')),
  0x16: packet(
    'metering_alert_config_packet',
    byHeader({
      0x01: fields({
        min_power__W: orWord(uint16, ALERT_OFF_16),
        max_power__W: orWord(uint16, ALERT_OFF_16),
        min_voltage__V: orWord(uint16, ALERT_OFF_16),
        max_voltage__V: orWord(uint16, ALERT_OFF_16),
        min_power_factor: toShareOrOff,
      }),
    }),
  ),
  0x52: packet(
    'multicast_config_packet',
    fields({ multicast_device: uint8, devaddr: reversedHex(4), nwkskey: hex(16), appskey: hex(16) }),
  ),
}

function toShareOrOff(input: Input): number | string {
  const percent = input.uint8()
  return percent === 255 ? 'alert_off' : percent / 100
}
