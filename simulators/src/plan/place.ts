import type { Language, Position } from '@pulso/model'
import { hash, hashUnit, createRandom } from '../random.ts'
import { besidePath, distanceBetween, distanceToPath, type Point } from './geometry.ts'
import type { Ground, Street, StreetClass } from './ground.ts'

/** What each planner is given. */
export interface PlaceOptions {
  ground: Ground
  seed: number
  language: Language
  count: number
}

/** From the street's line to its kerb. */
export const KERB_OFFSET_M: Readonly<Record<StreetClass, number>> = {
  motorway: 10,
  primary: 7,
  secondary: 5.5,
  residential: 4,
}

export interface Spot {
  position: Position
  point: Point
}

/** Beside a street at a distance along it, or undefined where that is the sea or outside the zones. */
export function spotBeside(
  ground: Ground,
  street: Street,
  { distanceM, rightM }: { distanceM: number; rightM: number },
): Spot | undefined {
  const point = besidePath(street.path.at(distanceM), rightM)
  const position = ground.projection.toPosition(point)
  return ground.isUsable(position) ? { point, position } : undefined
}

/** True where another street passes so near that a thing on the kerb would stand in its way. */
export function isOnCrossing(ground: Ground, street: Street, point: Point): boolean {
  return ground.streets.some(
    (other) => other !== street && distanceToPath(point, other.path) < KERB_OFFSET_M[other.class] + 1,
  )
}

/** More of everything where the city is dense: 1 in the centre, falling off over a kilometre or so. */
export function densityAt(ground: Ground, point: Point): number {
  return 0.12 + Math.exp(-distanceBetween(point, ground.centre) / 900)
}

/**
 * Takes candidates by weighted chance without replacement, most wanted first.
 * Source: Efraimidis and Spirakis (2006), keys u^(1/w).
 */
export function shuffleByWeight<T>(
  candidates: readonly T[],
  weightOf: (candidate: T) => number,
  { seed, name }: { seed: number; name: string },
): T[] {
  return candidates
    .map((candidate, index) => {
      const weight = Math.max(1e-6, weightOf(candidate))
      return { candidate, key: Math.log(Math.max(1e-12, hashUnit(seed, name, index))) / weight }
    })
    .sort((a, b) => b.key - a.key)
    .map(({ candidate }) => candidate)
}

/** Points spread over the zones by chance, for a city file without streets; all of the zones get their share. */
export function scatter(
  { ground, seed, count }: PlaceOptions,
  name: string,
  zoneIds: readonly string[],
): Spot[] {
  const random = createRandom(hash(seed, 'scatter', name))
  const spots: Spot[] = []
  // A zone without dry land gives no point: a bounded number of rounds, and fewer sensors.
  for (let i = 0; spots.length < count && i < count + 50 * zoneIds.length; i++) {
    const point = ground.pointIn(zoneIds[i % zoneIds.length] ?? '', random)
    if (point) spots.push({ point, position: ground.projection.toPosition(point) })
  }
  return spots
}

/** Gives each name once: a second 'Calle Burgos 14' becomes 'Calle Burgos 14 B'. */
export function createNamer(): (name: string) => string {
  const taken = new Map<string, number>()
  return (name) => {
    const times = (taken.get(name) ?? 0) + 1
    taken.set(name, times)
    if (times === 1) return name
    return times <= 26 ? `${name} ${String.fromCharCode(64 + times)}` : `${name} ${times}`
  }
}

/** Even numbers on the right of the street, odd ones on the left, one every ten metres. */
export function houseNumber(distanceM: number, rightM: number): number {
  return 2 * Math.floor(distanceM / 10) + (rightM > 0 ? 2 : 1)
}
