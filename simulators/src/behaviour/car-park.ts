import { HOUR_MS, MINUTE_MS } from '@pulso/model'
import type { PlannedSensor } from '../plan/planned-sensor.ts'
import { smoothNoise } from '../random.ts'
import { heartbeats, type Behaviour, type Surroundings } from './behaviour.ts'
import { occupancyAt } from './demand.ts'
import { clamp } from './weather.ts'

const HEARTBEAT_MS = 5 * MINUTE_MS
/** Of those who look for a space, so many would pay for one under a roof. */
const SHARE_OF_DEMAND = 0.93
const FALLBACK_SPACES = 200

/** A counted car park: its district's demand, with days that are better or worse and a barrier that counts in bursts. */
export function createCarParkBehaviour(sensor: PlannedSensor, surroundings: Surroundings): Behaviour {
  const { seed, districts, localTime, isSouthern } = surroundings
  const { totalSpotNumber } = sensor.attributes
  const total = typeof totalSpotNumber === 'number' ? totalSpotNumber : FALLBACK_SPACES
  const profile = districts.profileOf(sensor.position)
  // People park under a roof where they shop and work, hardly where they live.
  const curve = profile === 'residential' ? 'centre' : profile
  return {
    reportTimes: heartbeats(sensor, seed, HEARTBEAT_MS),
    valuesAt(timeMs) {
      const noise = (name: string, periodHours: number): number =>
        smoothNoise(seed, `${name} ${sensor.id}`, timeMs / (periodHours * HOUR_MS))
      const demand = occupancyAt(curve, localTime.at(timeMs), isSouthern) * SHARE_OF_DEMAND
      const taken = clamp(demand * (1 + 0.14 * noise('day', 22)) + 0.03 * noise('burst', 0.3), 0, 1)
      return {
        availableSpotNumber: Math.round(total * (1 - taken)),
        totalSpotNumber: total,
        status: 'open',
      }
    },
  }
}
