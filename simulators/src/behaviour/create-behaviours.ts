import { AppError, type City } from '@pulso/model'
import { createDistricts } from '../districts.ts'
import { createLocalTime } from '../local-time.ts'
import type { PlannedSensor } from '../plan/planned-sensor.ts'
import { hashUnit } from '../random.ts'
import { createBayBehaviour } from './bay.ts'
import type { Behaviour, Surroundings } from './behaviour.ts'
import { createCarParkBehaviour } from './car-park.ts'
import { withBattery, withFlatBattery, withoutReports, withReportsBetween, withSignal } from './device.ts'
import { createLampBehaviour } from './lamp.ts'
import { createLightingNights } from './lighting-nights.ts'
import { createStationBehaviour } from './station.ts'
import { createWeather } from './weather.ts'

type Create = (sensor: PlannedSensor, surroundings: Surroundings) => Behaviour

/** What each kind does, put together from behaviours. */
const CREATE: Readonly<Record<string, Create>> = {
  parking: (sensor, surroundings) => {
    const bay = createBayBehaviour(sensor, surroundings)
    return withSignal(sensor, withBattery(sensor, bay, surroundings.seed), surroundings.seed)
  },
  carpark: createCarParkBehaviour,
  lighting: (sensor, surroundings) =>
    withSignal(sensor, createLampBehaviour(sensor, surroundings), surroundings.seed),
  environment: (sensor, surroundings) =>
    withSignal(sensor, createStationBehaviour(sensor, surroundings), surroundings.seed),
}

/**
 * The sensors that fail on purpose, so that operators have something to see. Chosen by seed within each kind:
 * a bay that never reports, a bay with a flat battery, a lamp that reports from 6 to 10 h UTC only, and a station that
 * does so from 18 to 22 h. At any hour at least two sensors are silent.
 */
const FAULTS: readonly { name: string; kind: string; apply: (behaviour: Behaviour) => Behaviour }[] = [
  { name: 'silent bay', kind: 'parking', apply: withoutReports },
  { name: 'flat battery', kind: 'parking', apply: withFlatBattery },
  { name: 'loose lamp', kind: 'lighting', apply: (behaviour) => withReportsBetween(behaviour, 6, 10) },
  { name: 'loose station', kind: 'environment', apply: (behaviour) => withReportsBetween(behaviour, 18, 22) },
]

/** A kind with fewer sensors than this has none to spare for a fault. */
const MIN_SENSORS_FOR_FAULTS = 10

export interface BehavioursOptions {
  sensors: readonly PlannedSensor[]
  city: City
  seed: number
}

/**
 * The behaviour of each sensor, by id.
 * @throws AppError `no-behaviour` for a sensor of a kind that the virtual city does not play
 */
export function createBehaviours({ sensors, city, seed }: BehavioursOptions): Map<string, Behaviour> {
  const surroundings = createSurroundings(city, seed)
  const behaviours = new Map<string, Behaviour>()
  for (const sensor of sensors) {
    const create = Object.hasOwn(CREATE, sensor.kind) ? CREATE[sensor.kind] : undefined
    if (!create)
      throw new AppError('no-behaviour', `The virtual city has no behaviour for the kind '${sensor.kind}'`)
    behaviours.set(sensor.id, create(sensor, surroundings))
  }
  for (const [id, apply] of chooseFaulty(sensors, seed)) {
    const behaviour = behaviours.get(id)
    if (behaviour) behaviours.set(id, apply(behaviour))
  }
  return behaviours
}

/** Each fault on a sensor of its own. */
function chooseFaulty(
  sensors: readonly PlannedSensor[],
  seed: number,
): Map<string, (behaviour: Behaviour) => Behaviour> {
  const chosen = new Map<string, (behaviour: Behaviour) => Behaviour>()
  for (const { name, kind, apply } of FAULTS) {
    const candidates = sensors.filter((sensor) => sensor.kind === kind && !chosen.has(sensor.id))
    const sensor = candidates[Math.floor(hashUnit(seed, 'fault', name) * candidates.length)]
    if (sensor && candidates.length >= MIN_SENSORS_FOR_FAULTS) chosen.set(sensor.id, apply)
  }
  return chosen
}

function createSurroundings(city: City, seed: number): Surroundings {
  const [west, south, east, north] = city.bounds
  const position = { lat: (south + north) / 2, lon: (west + east) / 2 }
  const localTime = createLocalTime(city.timeZone)
  return {
    city,
    seed,
    localTime,
    districts: createDistricts(city),
    isSouthern: position.lat < 0,
    weatherAt: createWeather(position, seed),
    lightingNights: createLightingNights(position, localTime),
  }
}
