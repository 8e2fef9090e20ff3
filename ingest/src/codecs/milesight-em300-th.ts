import { defineCodec } from '../codec.ts'
import {
  decodeChannels,
  humidity,
  temperature,
  timestamp,
  toEnvironment,
  type Channel,
} from './shared/milesight.ts'

/** The last byte of an entry is reserved. */
const history: Channel = (reader) => {
  const entry = { ...timestamp(reader), ...temperature(reader), ...humidity(reader) }
  reader.uint8()
  return entry
}

/** Temperature and humidity. */
export default defineCodec({
  name: 'milesight-em300-th',
  title: 'Milesight EM300-TH',
  decode: (uplink) => decodeChannels(uplink, { '03 67': temperature, '04 68': humidity, '20 CE': history }),
  toMetrics: toEnvironment,
})
