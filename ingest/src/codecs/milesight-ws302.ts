import { defineCodec } from '../codec.ts'
import { decodeChannels, toEnvironment, type Channel } from './shared/milesight.ts'

const FREQUENCY_WEIGHTINGS = ['Z', 'A', 'C', 'D']
const TIME_WEIGHTINGS = ['I', 'F', 'S', '']

/**
 * Three levels in tenths of a decibel: now, equivalent, highest. The first byte says how they are weighted, and so how
 * they are called (IEC 61672-1): `LAF`, `LAeq`, `LAFmax` with A and Fast.
 */
const soundLevels: Channel = (reader) => {
  const weighting = reader.uint8()
  const frequency = FREQUENCY_WEIGHTINGS[weighting & 0b11] ?? ''
  const time = TIME_WEIGHTINGS[(weighting >> 2) & 0b11] ?? ''
  return {
    [`L${frequency}${time}`]: reader.uint16() / 10,
    [`L${frequency}eq`]: reader.uint16() / 10,
    [`L${frequency}${time}max`]: reader.uint16() / 10,
  }
}

/** Sound level; only A-weighted ones are our `LAeq`. */
export default defineCodec({
  name: 'milesight-ws302',
  title: 'Milesight WS302',
  decode: (uplink) => decodeChannels(uplink, { '05 5B': soundLevels }),
  toMetrics: toEnvironment,
})
