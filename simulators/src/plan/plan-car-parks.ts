import carpark from '@pulso/model/kinds/carpark'
import { hashUnit } from '../random.ts'
import { distanceBetween } from './geometry.ts'
import {
  createNamer,
  densityAt,
  scatter,
  shuffleByWeight,
  spotBeside,
  type PlaceOptions,
  type Spot,
} from './place.ts'
import type { Placed } from './planned-sensor.ts'

/** Two car parks nearer than this would be one. */
const MIN_DISTANCE_M = 250
const MIN_SPACES = 90
const MAX_SPACES = 480
/** The entrance of an underground car park is a few steps from the carriageway. */
const BESIDE_STREET_M = 14
/** Proposals along a street. */
const EVERY_M = 120

/** Car parks under the named squares first, then beside streets; more of them where the city is dense. */
export function planCarParks(options: PlaceOptions): Placed[] {
  const { ground, seed, count, language } = options
  const nameOf = createNamer()
  const chosen: (Spot & { name: string })[] = []
  for (const site of listSites(options)) {
    if (chosen.length >= count) break
    if (chosen.some(({ point }) => distanceBetween(point, site.point) < MIN_DISTANCE_M)) continue
    chosen.push(site)
  }
  if (ground.streets.length === 0 && chosen.length < count) {
    const missing = { ...options, count: count - chosen.length }
    const spots = scatter(missing, carpark.id, ground.districts.zoneIds)
    chosen.push(...spots.map((spot, index) => ({ ...spot, name: String(index + 1) })))
  }
  return chosen.map(({ name, position }, index) => ({
    kind: carpark.id,
    name: nameOf(`${carpark.title[language]} ${name}`.trim()),
    position,
    attributes: { totalSpotNumber: toCapacity(hashUnit(seed, 'capacity', index)) },
  }))
}

function listSites({ ground, seed }: PlaceOptions): (Spot & { name: string })[] {
  const places = ground.places
    .map(({ name, point }) => ({ name, point, position: ground.projection.toPosition(point) }))
    .filter(
      ({ position, name }) => /^(plaza|plaça|place|platz|square)\b/i.test(name) && ground.isUsable(position),
    )
  const besides = ground.streets.flatMap((street) => {
    const sites = []
    if (street.class === 'motorway') return []
    for (let distanceM = EVERY_M / 2; distanceM < street.path.lengthM; distanceM += EVERY_M) {
      const spot = spotBeside(ground, street, { distanceM, rightM: BESIDE_STREET_M })
      if (spot) sites.push({ ...spot, name: street.name })
    }
    return sites
  })
  const weightOf = ({ point }: Spot): number => densityAt(ground, point) ** 3
  return [
    ...shuffleByWeight(places, weightOf, { seed, name: 'squares' }),
    ...shuffleByWeight(besides, weightOf, { seed, name: 'car-parks' }),
  ]
}

/** In tens, as they are built. */
function toCapacity(share: number): number {
  return Math.round((MIN_SPACES + share * (MAX_SPACES - MIN_SPACES)) / 10) * 10
}
