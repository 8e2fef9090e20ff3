import type { Fields } from '../../../codec.ts'
import { orWord, packet, uint8, type PacketTable, type Part } from './layout.ts'

const multicastRequest: Part<Fields> = (input) => ({
  multicast_device: orWord(uint8, { 255: 'all' })(input),
})

/** What a luminaire is asked to tell about its settings. The spelling of `confic` is the maker's. */
const REQUESTS: PacketTable = {
  0x01: packet('deprecated_ldr_input_config_request'),
  0x03: packet('deprecated_dig_input_config_request'),
  0x07: packet('status_config_request'),
  0x09: packet('time_config_packet'),
  0x0b: packet('usage_config_request'),
  0x0d: packet('boot_delay_config_request'),
  0x15: packet('onboard_led_config_request'),
  0x16: packet('metering_alert_confic_request'),
  0x52: packet('multicast_config_request', multicastRequest),
}

const ALL_PROFILES = { 255: 'all_profiles' }

export const REQUESTS_1_0: PacketTable = {
  ...REQUESTS,
  0x06: packet('calendar_config_request'),
  0x08: packet('profile_config_request', (input) => ({
    profile_id: input.left() === 0 ? 'no_profiles' : orWord(uint8, ALL_PROFILES)(input),
  })),
  0x0a: packet('default_dim_config_request'),
  0x0c: packet('holiday_config_request'),
  0x0e: packet('defaults_config_request'),
  0x13: packet('location_config_request'),
}

export const REQUESTS_1_1: PacketTable = {
  ...REQUESTS,
  0x20: packet('calendar_config_request'),
  0x21: packet('profile_config_request', (input) => ({ profile_id: orWord(uint8, ALL_PROFILES)(input) })),
  0x22: packet('fade_config_request'),
  0x23: packet('holiday_config_request'),
  0x24: packet('dali_monitor_config_request'),
  0x25: packet('fallback_dim_config_request'),
  0x26: packet('location_config_request'),
  0x27: packet('lumalink_config_request'),
  0x28: packet('dig_input_config_request'),
  0x29: packet('light_input_config_request'),
  0x2a: packet('dim_notify_config_request'),
  0x2b: packet('interface_type_config_request'),
}

export const FIRMWARE_COMMANDS: PacketTable = {
  0xfe: packet('restart_controller_command'),
  0xff: packet('activate_dfu_command'),
}
