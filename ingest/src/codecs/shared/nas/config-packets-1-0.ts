import {
  position,
  coarsePosition,
  textAddress,
  dimmingStep,
  reset,
  RESETS,
  CONFIGS,
} from './config-packets.ts'
import {
  announced,
  bits,
  byHeader,
  fields,
  int8,
  listOf,
  orWord,
  packet,
  uint8,
  type PacketTable,
} from './layout.ts'
import { address, anyDevice, days, fade, monthAndDay } from './values.ts'

const RESETS_1_0: PacketTable = {
  ...RESETS,
  0x01: reset('ldr_input_config'),
  0x03: reset('dig_input_config'),
  0x04: (input) => {
    const profiles = reset('profile_config', { address: address('all_profiles') })(input)
    return input.left() > 0 ? { ...profiles, profile_id: input.uint8() } : profiles
  },
  0x06: reset('holiday_config'),
}

/** Those of firmware 1.0. */
export const CONFIGS_1_0: PacketTable = {
  ...CONFIGS,
  0x06: packet('calendar_config_packet', (input) => {
    const [sunrise, sunset] = [int8(input), int8(input)]
    const isOff = sunrise === -1 && sunset === -1
    return {
      sunrise_offset__minutes: isOff ? 'disabled' : sunrise,
      sunset_offset__minutes: isOff ? 'disabled' : sunset,
      ...coarsePosition(input),
    }
  }),
  0x08: packet(
    'profile_config_packet',
    fields({
      profile_id: orWord(uint8, { 255: 'no_profile' }),
      profile_version: uint8,
      address: anyDevice,
      days_active: days,
      dimming_steps: listOf(dimmingStep),
    }),
  ),
  0x0a: packet(
    'legacy_defaults_config_packet',
    fields({ default_dim__percent: uint8 }),
    bits('ldr_alert_enabled', null, 'dig_alert_enabled', 'dali_alert_enabled'),
  ),
  0x0c: packet('holiday_config_packet', fields({ holidays: listOf(monthAndDay) })),
  0x0e: packet(
    'defaults_config_packet',
    announced(
      fields({ default_dim__percent: uint8 }),
      fields({ max_dim__percent: orWord(uint8, { 255: 'default' }) }),
      fields({ fade_duration__s: fade }),
      fields({ switch_point_sunset: (input) => ((input.uint8() & 1) === 1 ? 'sunset' : 'twilight') }),
      bits('legacy_mode_enabled'),
    ),
  ),
  0x13: packet(
    'location_config_packet',
    announced(position, (input) => textAddress(input.uint8())(input)),
  ),
  0xff: packet('clear_config_packet', byHeader(RESETS_1_0)),
}
