import type { Position } from './sensor.ts'

/** `[lon, lat]`, as GeoJSON writes it. */
export type LonLat = readonly [number, number]
/** `[west, south, east, north]` in degrees. */
export type Bounds = readonly [number, number, number, number]

export interface ZoneGeometry {
  type: 'Polygon' | 'MultiPolygon'
  /** Rings of `[lon, lat]`, the outer one first; one level deeper for a MultiPolygon. */
  coordinates: readonly unknown[]
}

export interface Zone {
  /** Unique in the city: 1 to 64 of `a-z 0-9 -`. */
  id: string
  name: string
  geometry: ZoneGeometry
}

export interface ZoneIndex {
  /** The first zone that contains the position, or `null` outside all of them. */
  find(position: Position | null): string | null
}

/** Finds a position's zone. Zones are few (tens), so a box test before the rings is index enough. */
export function createZoneIndex(zones: readonly Zone[]): ZoneIndex {
  const prepared = zones.map((zone) => {
    const polygons = toPolygons(zone.geometry)
    return { id: zone.id, polygons, bounds: boundsOf(polygons.flat(2)) }
  })
  return {
    find(position) {
      if (!position) return null
      const { lon, lat } = position
      for (const { id, bounds, polygons } of prepared) {
        if (isWithin(bounds, lon, lat) && polygons.some((rings) => isInPolygon(rings, lon, lat))) return id
      }
      return null
    },
  }
}

/** The geometry as a list of polygons, each a list of rings. */
export function toPolygons(geometry: ZoneGeometry): LonLat[][][] {
  return (geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates) as LonLat[][][]
}

/** The smallest box around the points; an empty list gives a box that contains nothing. */
export function boundsOf(points: readonly LonLat[]): Bounds {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const [lon, lat] of points) {
    west = Math.min(west, lon)
    south = Math.min(south, lat)
    east = Math.max(east, lon)
    north = Math.max(north, lat)
  }
  return [west, south, east, north]
}

export function isWithin([west, south, east, north]: Bounds, lon: number, lat: number): boolean {
  return lon >= west && lon <= east && lat >= south && lat <= north
}

/** Even-odd rule over all rings, so that a hole is outside. */
function isInPolygon(rings: readonly LonLat[][], lon: number, lat: number): boolean {
  let inside = false
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [xi = 0, yi = 0] = ring[i] ?? []
      const [xj = 0, yj = 0] = ring[j] ?? []
      if (yi > lat !== yj > lat && lon < ((xj - xi) * (lat - yi)) / (yj - yi) + xi) inside = !inside
    }
  }
  return inside
}
