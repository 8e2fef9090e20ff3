import lighting from '@pulso/model/kinds/lighting'
import { hashUnit } from '../random.ts'
import type { Ground, Street, StreetClass } from './ground.ts'
import {
  createNamer,
  densityAt,
  KERB_OFFSET_M,
  scatter,
  shuffleByWeight,
  spotBeside,
  type PlaceOptions,
} from './place.ts'
import type { Placed } from './planned-sensor.ts'

/** Lamps stand on the pavement, a little behind the kerb. */
const BEHIND_KERB_M = 1.2
/** Real spacing is 25 to 35 m; a demonstration's few lamps are stretched to reach more of the streets, up to a bound. */
const MIN_SPACING_M = 28
const MAX_SPACING_M = 60

/** LED luminaires of today's replacements, by the road they light. */
const POWER_W: Readonly<Record<StreetClass, number>> = {
  motorway: 140,
  primary: 110,
  secondary: 80,
  residential: 50,
}

export function planLamps(options: PlaceOptions): Placed[] {
  const { ground, seed, count, language } = options
  const title = lighting.title[language]
  if (ground.streets.length === 0) {
    return scatter(options, lighting.id, ground.districts.zoneIds).map(({ position }, index) => ({
      kind: lighting.id,
      name: `${title} ${index + 1}`,
      position,
      attributes: { ratedPowerW: POWER_W.residential },
    }))
  }

  const totalM = ground.streets.reduce((sum, { path }) => sum + path.lengthM, 0)
  const spacingM = Math.min(MAX_SPACING_M, Math.max(MIN_SPACING_M, totalM / Math.max(1, count)))
  const streets = shuffleByWeight(ground.streets, (street) => weightOf(ground, street), {
    seed,
    name: 'lamps',
  })
  const nameOf = createNamer()
  const lamps: Placed[] = []
  for (const street of streets) {
    if (lamps.length >= count) break
    const { name } = street
    const row = lightStreet(ground, street, { spacingM, startShare: hashUnit(seed, 'lamp-start', name) })
    for (const { position } of row.slice(0, count - lamps.length)) {
      lamps.push({
        kind: lighting.id,
        name: nameOf(
          `${title} ${name} ${lamps.filter((lamp) => lamp.attributes.street === name).length + 1}`,
        ),
        position,
        attributes: { street: name, ratedPowerW: POWER_W[street.class] },
      })
    }
  }
  return lamps
}

function weightOf(ground: Ground, { path, class: streetClass }: Street): number {
  const ofClass = { motorway: 0.3, primary: 1.4, secondary: 1.2, residential: 1 }[streetClass]
  return ofClass * densityAt(ground, path.at(path.lengthM / 2)) ** 2
}

/** Lamps at even distances, on the two sides in turn. */
function lightStreet(
  ground: Ground,
  street: Street,
  { spacingM, startShare }: { spacingM: number; startShare: number },
) {
  const spots = []
  const offsetM = KERB_OFFSET_M[street.class] + BEHIND_KERB_M
  let side = 1
  for (
    let distanceM = (0.2 + 0.6 * startShare) * spacingM;
    distanceM < street.path.lengthM;
    distanceM += spacingM
  ) {
    const spot = spotBeside(ground, street, { distanceM, rightM: side * offsetM })
    if (spot) spots.push(spot)
    side = -side
  }
  return spots
}
