import environment from '@pulso/model/kinds/environment'
import { createRandom, hash } from '../random.ts'
import { distanceBetween, distanceToPath, type Point } from './geometry.ts'
import type { Ground, Street } from './ground.ts'
import { createNamer, KERB_OFFSET_M, scatter, spotBeside, type PlaceOptions, type Spot } from './place.ts'
import type { Placed } from './planned-sensor.ts'

/** Of this many tries the one farthest from all stations so far is taken, so that they cover the city. */
const TRIES = 24
/** Nearer than this to a main road the road's traffic is what is measured. */
const TRAFFIC_DISTANCE_M = 25
/** Every so manieth station stands at a main road on purpose. */
const TRAFFIC_EVERY = 3

type Site = Spot & { street: Street | undefined }

/** Stations in turn over the districts; `areaType` says whether traffic or the background is measured. */
export function planStations(options: PlaceOptions): Placed[] {
  const { ground, seed, count, language } = options
  const random = createRandom(hash(seed, 'stations'))
  const mainStreets = ground.streets.filter(({ class: c }) => c === 'primary' || c === 'secondary')
  const nameOf = createNamer()
  const sites: Site[] = []
  for (let i = 0; i < count; i++) {
    const atRoad = mainStreets.length > 0 && i % TRAFFIC_EVERY === 0
    const site = atRoad
      ? farthest(sites, () => atKerb(ground, mainStreets, random))
      : farthest(sites, () => inDistrict(options, i, random))
    if (site) sites.push(site)
  }
  return sites.map(({ position, point, street }, index) => {
    const road = nearest(mainStreets, point)
    const isTraffic = road !== undefined && distanceToPath(point, road.path) < TRAFFIC_DISTANCE_M
    const named = street ?? nearest(ground.streets, point)
    const streetName = named?.name ?? ''
    const name = streetName === '' ? `${environment.title[language]} ${index + 1}` : streetName
    return {
      kind: environment.id,
      name: nameOf(name),
      position,
      attributes: {
        ...(streetName === '' ? {} : { street: streetName }),
        areaType: isTraffic ? 'traffic' : 'background',
      },
    }
  })
}

function atKerb(ground: Ground, streets: readonly Street[], random: () => number): Site | undefined {
  const street = streets[Math.floor(random() * streets.length)]
  if (!street) return undefined
  const rightM = (random() < 0.5 ? -1 : 1) * (KERB_OFFSET_M[street.class] + 2)
  const spot = spotBeside(ground, street, { distanceM: random() * street.path.lengthM, rightM })
  return spot && { ...spot, street }
}

function inDistrict(
  { ground, language, seed }: PlaceOptions,
  index: number,
  random: () => number,
): Site | undefined {
  const { zoneIds } = ground.districts
  if (zoneIds.length === 0) return atKerb(ground, ground.streets, random)
  const zoneId = zoneIds[index % zoneIds.length] ?? ''
  const salt = hash(seed, 'station', Math.floor(random() * 1e9))
  const spot = scatter({ ground, language, seed: salt, count: 1 }, environment.id, [zoneId])[0]
  return spot && { ...spot, street: undefined }
}

function farthest(sites: readonly Site[], propose: () => Site | undefined): Site | undefined {
  let best: { site: Site; distanceM: number } | undefined
  for (let i = 0; i < TRIES; i++) {
    const site = propose()
    if (!site) continue
    const distanceM = Math.min(...sites.map(({ point }) => distanceBetween(point, site.point)))
    if (!best || distanceM > best.distanceM) best = { site, distanceM }
  }
  return best?.site
}

function nearest(streets: readonly Street[], point: Point): Street | undefined {
  let best: { street: Street; distanceM: number } | undefined
  for (const street of streets) {
    const distanceM = distanceToPath(point, street.path)
    if (!best || distanceM < best.distanceM) best = { street, distanceM }
  }
  return best?.street
}
