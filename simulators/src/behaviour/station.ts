import { HOUR_MS, MINUTE_MS } from '@pulso/model'
import type { PlannedSensor } from '../plan/planned-sensor.ts'
import { hashUnit, smoothNoise } from '../random.ts'
import { heartbeats, round, type Behaviour, type Surroundings } from './behaviour.ts'
import { trafficAt } from './demand.ts'
import { clamp, type Weather } from './weather.ts'

const HEARTBEAT_MS = 5 * MINUTE_MS
/** Pollutants lag behind the cars that bring them. */
const TRAFFIC_LAG_MS = 25 * MINUTE_MS
/** What traffic a district adds, beside a main road and away from one. */
const EXPOSURE = { traffic: 1, background: 0.34 }

/**
 * An air and noise station. Cars bring nitrogen dioxide, particles and noise; wind thins them, rain washes particles out,
 * still clear nights keep them near the ground; the sun makes ozone, which fresh exhaust eats. The strengths are ours, set so
 * that the values lie where a mid-sized European coastal city's do.
 */
export function createStationBehaviour(sensor: PlannedSensor, surroundings: Surroundings): Behaviour {
  const { seed, localTime, weatherAt, districts } = surroundings
  const isTraffic = sensor.attributes.areaType === 'traffic'
  const busy = { centre: 1.1, office: 1, industrial: 1.05, leisure: 0.85, residential: 0.85 }
  const own = 0.8 + 0.4 * hashUnit(seed, 'exposure', sensor.id)
  const exposure =
    (isTraffic ? EXPOSURE.traffic : EXPOSURE.background) * busy[districts.profileOf(sensor.position)] * own
  const altitudeC = (hashUnit(seed, 'warmth', sensor.id) - 0.5) * 1.4

  return {
    reportTimes: heartbeats(sensor, seed, HEARTBEAT_MS),
    valuesAt(timeMs) {
      const noise = (name: string, minutes: number): number =>
        smoothNoise(seed, `${name} ${sensor.id}`, timeMs / (minutes * MINUTE_MS))
      const weather = weatherAt(timeMs)
      const cars = trafficAt(localTime.at(timeMs)) * exposure
      const exhaust = trafficAt(localTime.at(timeMs - TRAFFIC_LAG_MS)) * exposure * thinning(weather)
      const washed = 1 - 0.55 * weather.rain
      const haze = 1 + 0.45 * smoothNoise(seed, 'haze', timeMs / (30 * HOUR_MS))
      const no2 = Math.max(1, (5 + 52 * exhaust) * (1 + 0.1 * noise('no2', 35)))
      const pm25 = Math.max(0.5, (4.2 * haze + 8.5 * exhaust) * washed * (1 + 0.1 * noise('pm', 50)))
      return {
        pm25: round(pm25, 1),
        pm10: round(
          (pm25 * 1.45 + 4 * haze + 9 * exhaust * (1 - weather.rain)) * (1 + 0.05 * noise('dust', 40)),
          1,
        ),
        no2: round(no2, 1),
        o3: round(ozone(weather, exhaust) * (1 + 0.04 * noise('o3', 60)), 1),
        so2: round(Math.max(0.4, 2.4 * haze + 2.2 * exhaust + 0.6 * noise('so2', 90)), 1),
        co: round(0.16 + 0.42 * exhaust + 0.03 * (1 + noise('co', 45)), 2),
        temperature: round(weather.temperatureC + altitudeC + 0.2 * noise('air', 30), 1),
        relativeHumidity: round(clamp(weather.relativeHumidity + 0.02 * noise('damp', 60), 0.1, 1), 2),
        LAeq: round(loudness(weather, cars) + 1.6 * noise('street', 9), 1),
      }
    },
  }
}

/** How much of what is emitted stays: 1 in a light breeze, more in still air and on clear nights, less in a gale. */
function thinning({ windMS, cloud, solarElevationDegrees }: Weather): number {
  const inversion = solarElevationDegrees < 0 ? 1 + 0.35 * (1 - cloud) : 1
  return clamp((1.5 / (0.5 + windMS / 2.6)) * inversion, 0.35, 2.2)
}

function ozone({ solarElevationDegrees, cloud, windMS }: Weather, exhaust: number): number {
  const sun = Math.max(0, Math.sin((solarElevationDegrees * Math.PI) / 180)) * (1 - 0.55 * cloud)
  return Math.max(4, 46 + 1.6 * Math.min(windMS, 8) + 44 * sun - 34 * Math.min(1, exhaust))
}

/** Sound energies add up: a quiet city, its cars, and rain or wind in the microphone. */
function loudness({ rain, windMS }: Weather, cars: number): number {
  const energy = 10 ** 4.1 + 10 ** 7.05 * cars + 10 ** 5.4 * rain + 10 ** (2.6 + Math.min(windMS, 20) / 8)
  return 10 * Math.log10(energy)
}
