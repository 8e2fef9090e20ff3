import type { Fields } from '../../../codec.ts'
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
  bits,
  byHeader,
  countedListOf,
  fields,
  listOf,
  orWord,
  packet,
  uint16,
  uint32,
  uint8,
  wordOf,
  type Input,
  type PacketTable,
} from './layout.ts'
import { address, anyDevice, days, fade, level, monthAndDay, toLightText } from './values.ts'

const RESETS_1_1: PacketTable = {
  ...RESETS,
  0x21: reset('profile_config', { address: address('all_profiles') }),
  0x23: reset('holiday_config'),
  0x28: reset('dig_input_config'),
  0x29: reset('light_sensor_config'),
}

/** Those of firmware 1.1. */
export const CONFIGS_1_1: PacketTable = {
  ...CONFIGS,
  0x20: packet('calendar_config_packet', readCalendar),
  0x21: packet('profile_config_packet', readProfile),
  0x22: packet('fade_config_packet', fields({ fade_duration__s: fade })),
  0x23: packet('holiday_config_packet', fields({ holidays: countedListOf(monthAndDay) })),
  0x24: packet(
    'dali_monitor_config_packet',
    bits('send_dali_alert', 'correct_dali_dimming_level', 'periodic_bus_scan_enabled'),
    fields({ monitoring_interval__s: orWord(uint16, { 0: 'disabled' }) }),
  ),
  0x25: packet('fallback_dim_config_packet', fields({ fallback_dimming_level__percent: uint8 })),
  0x26: packet('location_config_packet', (input) => {
    const byteCount = input.uint8()
    return { ...position(input), ...textAddress(byteCount)(input) }
  }),
  0x27: packet(
    'lumalink_config_packet',
    fields({
      access_mode: wordOf(
        { 0: 'never_advertise', 1: 'first_commission', 2: 'every_boot', 3: 'always' },
        'invalid_mode',
      ),
    }),
  ),
  0x28: packet('dig_input_config_packet', readDigitalInput),
  0x29: packet('light_sensor_config_packet', readLightSensor),
  0x2a: packet('dim_notify_config_packet', (input) => {
    const delay = input.uint8()
    return { random_delay__s: delay === 255 ? 'disabled' : delay * 5, packet_limit__s: input.uint8() * 60 }
  }),
  0x2b: packet(
    'interface_type_config_packet',
    fields({
      interface_type: wordOf(
        { 0: 'dali', 1: 'analog_0_10v', 254: 'not_supported', 255: 'factory_default' },
        'invalid_value',
      ),
    }),
  ),
  0x53: packet('multicast_fcnt_config_packet', fields({ multicast_device: uint8, multicast_fcnt: uint32 })),
  0xff: packet('clear_config_packet', byHeader(RESETS_1_1)),
}

/** Steps of a sixth of a degree from the horizon. */
const zenithStep = fields({
  zenith_angle__deg: (input) => (input.int8() / 6 + 90).toFixed(2),
  dimming_level__percent: level('disabled'),
})

function readCalendar(input: Input): Fields {
  const counts = input.uint8()
  const steps = (count: number): Fields[] => Array.from({ length: count }, () => zenithStep(input))
  return {
    ...bits(
      'calendar_prefers_meta_pos',
      'calendar_clamps_profiles',
      'calendar_clamps_dig',
      'ignore_gnss',
    )(input),
    ...coarsePosition(input),
    sunrise_steps: steps(counts & 0x0f),
    sunset_steps: steps(counts >> 4),
  }
}

/** A reserved byte stands behind the days. */
function addressAndDays(input: Input): Fields {
  const result = fields({ address: anyDevice, days_active: days })(input)
  input.uint8()
  return result
}

function readProfile(input: Input): Fields {
  const profileId = orWord(uint8, { 255: 'no_profile' })(input)
  const stepCount = input.uint8()
  return {
    profile_id: profileId,
    ...addressAndDays(input),
    dimming_steps: Array.from({ length: stepCount }, () => dimmingStep(input)),
  }
}

/** Nothing follows an input that is not there. */
function readDigitalInput(input: Input): Fields {
  const index = input.uint8()
  if (index === 255) return {}
  return {
    dig_enabled: index,
    ...bits(
      'dig_mode_button',
      'polarity_high_or_rising',
      'notification_on_activation',
      'notification_on_inactivation',
      null,
      null,
      null,
      'source_d4i_motion_sensor',
    )(input),
    ...fields({
      address: anyDevice,
      active_dimming_level__percent: level('inactive'),
      inactive_dimming_level__percent: level('inactive'),
      on_delay__s: uint16,
      off_delay__s: uint16,
    })(input),
  }
}

function readLightSensor(input: Input): Fields {
  if (input.uint8() === 255) return {}
  return {
    ...bits(
      'notification_on_every_step',
      'light_sensor_clamps_profile',
      'light_sensor_clamps_dig',
      'interpolate_steps',
    )(input),
    ...fields({
      measurement_duration__s: uint8,
      address: anyDevice,
      dim_steps: listOf(
        fields({
          light_level__lx: (at) => toLightText(at.float32()),
          dimming_level__percent: level('inactive'),
        }),
      ),
    })(input),
  }
}
