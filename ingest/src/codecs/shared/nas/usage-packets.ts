import type { Fields } from '../../../codec.ts'
import { announced, fields, listOf, packet, uint16, uint32, uint8, type Input, type Part } from './layout.ts'
import { address } from './values.ts'

const measured = announced(
  fields({ active_energy__Wh: uint32 }),
  fields({ active_power__W: uint16 }),
  fields({ load_side_energy__Wh: uint32 }),
  fields({ load_side_power__W: uint16 }),
  fields({ power_factor: powerFactor }),
  fields({ mains_voltage__V: uint8 }),
  fields({ driver_operating_time__h: (input) => Math.round(input.uint32() / 3_600) }),
  fields({ lamp_on_time__h: (input) => Math.round(input.uint32() / 360) / 10 }),
)

/** What each driver has used. */
const consumption: Part<Fields> = fields({
  consumption: listOf((input) => ({ address: address('internal_measurement')(input), ...measured(input) })),
})

/** Firmware 1.0. */
export const USAGE_1_0 = packet('usage_packet', consumption)

/** Firmware 1.1 begins with the packet's type. */
export const USAGE_1_1 = packet('usage_packet', (input) => {
  const header = input.uint8()
  if (header !== 0) throw new Error(`There is no usage packet of type ${header}`)
  return consumption(input)
})

function powerFactor(input: Input): number | string {
  const percent = input.uint8()
  return percent === 255 ? 'unknown' : percent / 100
}
