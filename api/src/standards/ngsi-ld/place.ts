import {
  createZoneIndex,
  isWithin,
  type Bounds,
  type LonLat,
  type Position,
  type ZoneGeometry,
} from '@pulso/model'
import { badRequest } from '../../http/query.ts'

export interface PlaceQuery {
  georel?: string
  geometry?: string
  coordinates?: string
  geoproperty?: string
}

/** Whether a place is meant; what has no place never is. */
export type PlaceTest = (position: Position | null) => boolean

const MAX_POINTS = 1_000
const EARTH_RADIUS_M = 6_371_008.8
const NEAR = /^near;(maxDistance|minDistance)==(\d{1,9}(?:\.\d{1,6})?)$/
const EXAMPLE = 'georel=near;maxDistance==500&geometry=Point&coordinates=[-3.8,43.46]'

/**
 * NGSI-LD's geographic query: near a point, or within, intersecting (which for points is the same) or disjoint from an area.
 * @throws AppError `invalid-geo-query`, `unsupported-georel` (400)
 */
export function parsePlace(query: PlaceQuery, bounds: Bounds): PlaceTest | undefined {
  const { georel, geometry, coordinates, geoproperty } = query
  if (
    georel === undefined &&
    geometry === undefined &&
    coordinates === undefined &&
    geoproperty === undefined
  )
    return undefined
  if (georel === undefined || geometry === undefined || coordinates === undefined)
    throw invalid(`georel, geometry and coordinates belong together: ${EXAMPLE}`)
  if (geoproperty !== undefined && geoproperty !== 'location')
    throw invalid("the only place that entities have is 'location'")
  const parsed = parseJson(coordinates)
  const test = georel.startsWith('near')
    ? toNear(georel, { geometry, point: parsed, bounds })
    : toArea(georel, { geometry, coordinates: parsed, bounds })
  return (position) => position !== null && test(position)
}

function toNear(
  georel: string,
  { geometry, point, bounds }: { geometry: string; point: unknown; bounds: Bounds },
): (position: Position) => boolean {
  const [, limit, text] = NEAR.exec(georel) ?? []
  if (limit === undefined) throw invalid(`'near' needs a distance in metres: ${EXAMPLE}`)
  if (geometry !== 'Point' || !isLonLat(point))
    throw invalid("'near' needs geometry=Point and coordinates=[lon,lat]")
  checkOrder([point], bounds)
  const [lon, lat] = point
  const limitM = Number(text)
  return (position) => {
    const distanceM = toDistanceM({ lon, lat }, position)
    return limit === 'maxDistance' ? distanceM <= limitM : distanceM >= limitM
  }
}

function toArea(
  georel: string,
  { geometry, coordinates, bounds }: { geometry: string; coordinates: unknown; bounds: Bounds },
): (position: Position) => boolean {
  if (georel !== 'within' && georel !== 'intersects' && georel !== 'disjoint')
    throw badRequest(
      'unsupported-georel',
      "'georel' may be near;maxDistance==…, near;minDistance==…, within, intersects or disjoint",
    )
  if (geometry !== 'Polygon' && geometry !== 'MultiPolygon')
    throw invalid(`'${georel}' needs geometry=Polygon or MultiPolygon`)
  const polygons = geometry === 'Polygon' ? [coordinates] : coordinates
  if (!isList(polygons) || !polygons.every((rings) => isList(rings) && rings.every(isRing)))
    throw invalid('coordinates are closed rings of at least four [lon,lat], as GeoJSON writes them')
  const points = (polygons as LonLat[][][]).flat(2)
  if (points.length > MAX_POINTS) throw invalid(`an area may have ${MAX_POINTS} points`)
  checkOrder(points, bounds)
  const area: ZoneGeometry = { type: geometry, coordinates: coordinates as unknown[] }
  const index = createZoneIndex([{ id: 'area', name: 'area', geometry: area }])
  return (position) => (index.find(position) !== null) === (georel !== 'disjoint')
}

/** Someone wrote latitude first: nothing of it is in the city, and swapped all of it would be. */
function checkOrder(points: readonly LonLat[], bounds: Bounds): void {
  const isSwapped = points.every(([a, b]) => !isWithin(bounds, a, b) && isWithin(bounds, b, a))
  if (isSwapped) throw invalid('coordinates have longitude (lon) before latitude (lat): swap them')
}

/** On a sphere, which is right to half a percent. Haversine: R. W. Sinnott, Sky and Telescope 68 (1984). */
function toDistanceM(a: Position, b: Position): number {
  const toRadians = Math.PI / 180
  const latitudes = Math.sin(((b.lat - a.lat) * toRadians) / 2) ** 2
  const longitudes = Math.sin(((b.lon - a.lon) * toRadians) / 2) ** 2
  const half = latitudes + Math.cos(a.lat * toRadians) * Math.cos(b.lat * toRadians) * longitudes
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(half)))
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > 0
}

function isRing(ring: unknown): boolean {
  if (!isList(ring) || ring.length < 4 || !ring.every(isLonLat)) return false
  const [first, last] = [ring[0], ring.at(-1)]
  return first?.[0] === last?.[0] && first?.[1] === last?.[1]
}

function isLonLat(point: unknown): point is LonLat {
  if (!Array.isArray(point) || point.length < 2 || point.length > 3) return false
  const [lon, lat] = point as unknown[]
  return typeof lon === 'number' && typeof lat === 'number' && Math.abs(lon) <= 180 && Math.abs(lat) <= 90
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function invalid(reason: string): Error {
  return badRequest('invalid-geo-query', `The geographic query is not one: ${reason}`)
}
