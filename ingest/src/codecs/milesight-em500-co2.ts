import { defineCodec } from '../codec.ts'
import {
  decodeChannels,
  humidity,
  temperature,
  timestamp,
  toEnvironment,
  type Channel,
} from './shared/milesight.ts'

/** Parts per million. */
const co2: Channel = (reader) => ({ co2: reader.uint16() })
/** Tenths of a hectopascal. */
const pressure: Channel = (reader) => ({ pressure: reader.uint16() / 10 })

const temperatureAlarm: Channel = (reader) => ({
  ...temperature(reader),
  temperature_change: reader.int16() / 10,
  temperature_alarm: reader.uint8(),
})

const history: Channel = (reader) => ({
  ...timestamp(reader),
  ...co2(reader),
  ...pressure(reader),
  ...temperature(reader),
  ...humidity(reader),
})

/** Carbon dioxide, pressure, temperature and humidity. */
export default defineCodec({
  name: 'milesight-em500-co2',
  title: 'Milesight EM500-CO2',
  decode: (uplink) =>
    decodeChannels(uplink, {
      '03 67': temperature,
      '04 68': humidity,
      '05 7D': co2,
      '06 73': pressure,
      '83 D7': temperatureAlarm,
      '20 CE': history,
    }),
  toMetrics: toEnvironment,
})
