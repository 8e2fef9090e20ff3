import {
  AppError,
  boundsOf,
  createZoneIndex,
  toPolygons,
  type City,
  type LonLat,
  type Position,
  type SchematicFeature,
  type ZoneGeometry,
} from '@pulso/model'
import { createDistricts, type Districts } from '../districts.ts'
import { createPath, createProjection, type Path, type Point, type Projection } from './geometry.ts'

export type StreetClass = 'motorway' | 'primary' | 'secondary' | 'residential'

export interface Street {
  /** Empty when the city file names none. */
  name: string
  class: StreetClass
  path: Path
}

/** What the planners need to know of the ground. */
export interface Ground {
  projection: Projection
  streets: readonly Street[]
  districts: Districts
  centre: Point
  /** Squares and the like that a car park can be named after. */
  places: readonly { name: string; point: Point }[]
  /** On land and inside a zone. */
  isUsable(position: Position): boolean
  /** A point inside the zone for two shares in [0, 1). */
  pointIn(zoneId: string, random: () => number): Point | undefined
}

/** A city whose zones are this much sea is drawn wrong; a point inside is given up after so many tries. */
const MAX_TRIES = 200

/** @throws AppError `city-without-ground` when the city file has neither streets nor zones */
export function createGround(city: City): Ground {
  const features = city.basemap && 'schematic' in city.basemap ? city.basemap.schematic : []
  const [west, south, east, north] = city.bounds
  const projection = createProjection([(west + east) / 2, (south + north) / 2])
  const streets = toStreets(features, projection)
  if (streets.length === 0 && city.zones.length === 0) {
    throw new AppError(
      'city-without-ground',
      `The city file of ${city.name} has neither zones nor streets, so there is nowhere to put sensors: ` +
        `give it "zones" with polygons, or a schematic basemap with features of layer "street"`,
    )
  }

  const isLand = createLandTest(features)
  const districts = createDistricts(city)
  const hasZones = city.zones.length > 0
  const isUsable = (position: Position): boolean =>
    isLand(position) && (!hasZones || districts.zoneOf(position) !== null)

  return {
    projection,
    streets,
    districts,
    centre: projection.toPoint(districts.centre),
    places: features
      .filter(({ properties, geometry }) => properties.layer === 'place' && geometry.type === 'Point')
      .map(({ properties, geometry }) => ({
        name: properties.name ?? '',
        point: projection.toPoint(geometry.coordinates as unknown as LonLat),
      })),
    isUsable,
    pointIn(zoneId, random) {
      const zone = city.zones.find(({ id }) => id === zoneId)
      if (!zone) return undefined
      const [left, bottom, right, top] = boundsOf(toPolygons(zone.geometry).flat(2))
      for (let i = 0; i < MAX_TRIES; i++) {
        const position = { lon: left + random() * (right - left), lat: bottom + random() * (top - bottom) }
        if (districts.zoneOf(position) === zoneId && isLand(position)) {
          return projection.toPoint([position.lon, position.lat])
        }
      }
      return undefined
    },
  }
}

function toStreets(features: readonly SchematicFeature[], projection: Projection): Street[] {
  return features
    .filter(({ properties, geometry }) => properties.layer === 'street' && geometry.type === 'LineString')
    .map(({ properties, geometry }) => ({
      name: properties.name ?? '',
      class: properties.class ?? 'residential',
      path: createPath((geometry.coordinates as LonLat[]).map((lonLat) => projection.toPoint(lonLat))),
    }))
    .filter(({ path }) => path.lengthM > 0)
}

/** Painted order: what the sea covers is wet, unless the city file draws no land at all. */
function createLandTest(features: readonly SchematicFeature[]): (position: Position) => boolean {
  const areasOf = (layers: readonly string[]) =>
    createZoneIndex(
      features
        .filter(
          ({ properties, geometry }) =>
            layers.includes(properties.layer) && geometry.type.endsWith('Polygon'),
        )
        .map(({ geometry }) => ({ id: 'area', name: '', geometry: geometry as ZoneGeometry })),
    )
  const hasLand = features.some(({ properties }) => properties.layer === 'land')
  const [land, water] = [areasOf(['land']), areasOf(['water'])]
  return (position) => (!hasLand || land.find(position) !== null) && water.find(position) === null
}
