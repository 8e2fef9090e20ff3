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
    return { id: zone.id, polygons: polygons.map(toEdges), bounds: boundsOf(polygons.flat(2)) }
  })
  return {
    find(position) {
      if (!position) return null
      const { lon, lat } = position
      for (const { id, bounds, polygons } of prepared) {
        if (isWithin(bounds, lon, lat) && polygons.some((edges) => isInPolygon(edges, lon, lat))) return id
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

export function isWithin(bounds: Bounds, lon: number, lat: number): boolean {
  return lon >= bounds[0] && lon <= bounds[2] && lat >= bounds[1] && lat <= bounds[3]
}

/** Four numbers an edge, `lon, lat` of both ends: a city of 100,000 sensors asks for millions of them at its start. */
function toEdges(rings: readonly LonLat[][]): Float64Array {
  const edges = rings.flatMap((ring) =>
    ring.flatMap((end, index) => [...(ring.at(index - 1) ?? end), ...end]),
  )
  return Float64Array.from(edges)
}

/** Even-odd rule over all rings, so that a hole is outside. */
function isInPolygon(edges: Float64Array, lon: number, lat: number): boolean {
  let inside = false
  for (let at = 0; at < edges.length; at += 4) {
    const yj = edges[at + 1] ?? 0
    const yi = edges[at + 3] ?? 0
    if (yi > lat === yj > lat) continue
    const xj = edges[at] ?? 0
    const xi = edges[at + 2] ?? 0
    if (lon < ((xj - xi) * (lat - yi)) / (yj - yi) + xi) inside = !inside
  }
  return inside
}
