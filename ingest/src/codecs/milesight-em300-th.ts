import { defineCodec } from '../codec.ts'
import { decodeChannels, humidity, temperature, toEnvironment } from './shared/milesight.ts'

/** Temperature and humidity. */
export default defineCodec({
  name: 'milesight-em300-th',
  title: 'Milesight EM300-TH',
  decode: (uplink) => decodeChannels(uplink, { '03 67': temperature, '04 68': humidity }),
  toMetrics: toEnvironment,
})
