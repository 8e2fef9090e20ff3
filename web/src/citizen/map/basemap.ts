import type { Feature, FeatureCollection, Geometry, Point, Position } from 'geojson'

export interface SchematicProperties {
  layer: string
  name?: string
  class?: string
}

export type Schematic = FeatureCollection<Geometry, SchematicProperties>
export type PreparedSchematic = FeatureCollection<Geometry, SchematicProperties & { wet?: boolean }>

/**
 * The drawing, ready for the map: a place whose name a district's badge carries already is left out, and one that
 * lies off the land (a bay, a cape's sea) is marked `wet`, because it is written like water.
 */
export function prepareSchematic(schematic: Schematic, zoneNames: ReadonlySet<string>): PreparedSchematic {
  const land = schematic.features.filter(({ properties }) => properties.layer === 'land')
  const features = schematic.features
    .filter(({ properties: { layer, name } }) => !(layer === 'place' && name && zoneNames.has(name)))
    .map((feature) =>
      isPlace(feature)
        ? { ...feature, properties: { ...feature.properties, wet: !land.some(covers(feature)) } }
        : feature,
    )
  return { type: 'FeatureCollection', features }
}

/** Where a zone's badge stands: the point of a grid over its largest ring that lies deepest inside. */
export function findLabelPoint(geometry: Geometry): [number, number] | undefined {
  const rings = toRings(geometry)
  const outer = rings.reduce<Position[] | undefined>(
    (best, ring) => (best && areaOf(best) >= areaOf(ring) ? best : ring),
    undefined,
  )
  if (!outer) return undefined
  const box = boxOf(outer)
  let best: { point: [number, number]; depth: number } | undefined
  for (let row = 1; row < GRID; row++) {
    for (let column = 1; column < GRID; column++) {
      const point: [number, number] = [
        box.west + ((box.east - box.west) * column) / GRID,
        box.south + ((box.north - box.south) * row) / GRID,
      ]
      if (!isInside(point, [outer])) continue
      const depth = distanceToRing(point, outer)
      if (!best || depth > best.depth) best = { point, depth }
    }
  }
  return best?.point ?? (outer[0] as [number, number] | undefined)
}

/** `[west, south, east, north]` around the geometries; undefined without any point. */
export function boundsOf(geometries: readonly Geometry[]): [number, number, number, number] | undefined {
  const points = geometries.flatMap((geometry) => toRings(geometry).flat())
  if (points.length === 0) return undefined
  const { west, south, east, north } = boxOf(points)
  return [west, south, east, north]
}

const GRID = 28

function isPlace(
  feature: Feature<Geometry, SchematicProperties>,
): feature is Feature<Point, SchematicProperties> {
  return feature.properties.layer === 'place' && feature.geometry.type === 'Point'
}

function covers(
  place: Feature<Point, SchematicProperties>,
): (land: Feature<Geometry, SchematicProperties>) => boolean {
  return ({ geometry }) => isInside(place.geometry.coordinates, toRings(geometry))
}

function toRings(geometry: Geometry): Position[][] {
  if (geometry.type === 'Polygon') return geometry.coordinates
  return geometry.type === 'MultiPolygon' ? geometry.coordinates.flat() : []
}

function boxOf(ring: readonly Position[]): { west: number; south: number; east: number; north: number } {
  const longitudes = ring.map(([lon = 0]) => lon)
  const latitudes = ring.map(([, lat = 0]) => lat)
  return {
    west: Math.min(...longitudes),
    south: Math.min(...latitudes),
    east: Math.max(...longitudes),
    north: Math.max(...latitudes),
  }
}

function areaOf(ring: readonly Position[]): number {
  return Math.abs(
    ring.reduce((sum, [x1 = 0, y1 = 0], index) => {
      const [x2 = 0, y2 = 0] = ring[(index + 1) % ring.length] ?? []
      return sum + x1 * y2 - x2 * y1
    }, 0) / 2,
  )
}

/** Even-odd rule over all rings. */
function isInside([lon = 0, lat = 0]: Position, rings: readonly Position[][]): boolean {
  let inside = false
  for (const ring of rings) {
    ring.forEach(([x1 = 0, y1 = 0], index) => {
      const [x2 = 0, y2 = 0] = ring[(index + ring.length - 1) % ring.length] ?? []
      if (y1 > lat !== y2 > lat && lon < ((x2 - x1) * (lat - y1)) / (y2 - y1) + x1) inside = !inside
    })
  }
  return inside
}

/** In degrees, longitude shrunk as at that latitude: only compared with itself. */
function distanceToRing([lon = 0, lat = 0]: Position, ring: readonly Position[]): number {
  const shrink = Math.cos((lat * Math.PI) / 180)
  let nearest = Infinity
  ring.forEach(([x1 = 0, y1 = 0], index) => {
    const [x2 = 0, y2 = 0] = ring[(index + 1) % ring.length] ?? []
    const [dx, dy] = [(x2 - x1) * shrink, y2 - y1]
    const along = ((lon - x1) * shrink * dx + (lat - y1) * dy) / (dx * dx + dy * dy || 1)
    const t = Math.max(0, Math.min(1, along))
    nearest = Math.min(nearest, Math.hypot((lon - x1) * shrink - t * dx, lat - y1 - t * dy))
  })
  return nearest
}
