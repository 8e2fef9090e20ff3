import type { City } from '@pulso/model'
import { createGround } from './ground.ts'
import { planBays } from './plan-bays.ts'
import { planCarParks } from './plan-car-parks.ts'
import { planLamps } from './plan-lamps.ts'
import { planStations } from './plan-stations.ts'
import type { Placed, PlannedSensor } from './planned-sensor.ts'

export interface VirtualCityCounts {
  bays: number
  lamps: number
  stations: number
  carParks: number
}

export const DEFAULT_COUNTS: VirtualCityCounts = { bays: 600, lamps: 350, stations: 40, carParks: 8 }

/** Every id of the virtual city begins with it: the prefix for its gateway credential. */
export const VIRTUAL_CITY_PREFIX = 'demo-'

export interface PlanOptions {
  city: City
  seed: number
  counts?: Partial<VirtualCityCounts>
  /** Instead of `VIRTUAL_CITY_PREFIX`. */
  prefix?: string
}

/**
 * Where the virtual city's sensors are: bays in rows along kerbs, lamps along streets, stations over the districts. The
 * same city and seed give the same sensors. Fewer than wished come back only where the ground has no room for more.
 * Without streets they are spread over the zones.
 * @throws AppError `city-without-ground` when the city file has neither streets nor zones
 */
export function planVirtualCity({
  city,
  seed,
  counts,
  prefix = VIRTUAL_CITY_PREFIX,
}: PlanOptions): PlannedSensor[] {
  const wanted = { ...DEFAULT_COUNTS, ...counts }
  const language = city.languages[0] ?? 'en'
  const options = { ground: createGround(city), seed, language }
  return [
    ...number(planBays({ ...options, count: wanted.bays }), `${prefix}p-`),
    ...number(planCarParks({ ...options, count: wanted.carParks }), `${prefix}c-`),
    ...number(planLamps({ ...options, count: wanted.lamps }), `${prefix}l-`),
    ...number(planStations({ ...options, count: wanted.stations }), `${prefix}e-`),
  ]
}

function number(placed: readonly Placed[], prefix: string): PlannedSensor[] {
  return placed.map((sensor, index) => ({ id: `${prefix}${String(index + 1).padStart(4, '0')}`, ...sensor }))
}
