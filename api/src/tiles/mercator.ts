import { boundsOf, toPolygons, type LonLat, type Position, type ZoneGeometry } from '@pulso/model'

/** Units across a tile, as most vector tiles have them: at zoom 14 one is about 40 cm in Europe. */
export const EXTENT = 4096

/** Web Mercator ends here; what lies further north or south is drawn on its edge. */
const MAX_LATITUDE = 85.0511287798066

/** A place in Web Mercator's square: 0 to below 1 from west to east and from north to south. */
export interface WorldPoint {
  x: number
  y: number
}

export interface TileAddress {
  z: number
  x: number
  y: number
}

export function toWorldPoint({ lon, lat }: Position): WorldPoint {
  const sine = Math.sin((Math.max(-MAX_LATITUDE, Math.min(MAX_LATITUDE, lat)) * Math.PI) / 180)
  return {
    x: toInside(lon / 360 + 0.5),
    y: toInside(0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)),
  }
}

/** Whole units from the tile's north-west corner. A point of the tile gets 0 to `EXTENT` - 1, so it lies in no other. */
export function toTilePoint(point: WorldPoint, { z, x, y }: TileAddress): [number, number] {
  const scale = 2 ** z
  return [Math.floor((point.x * scale - x) * EXTENT), Math.floor((point.y * scale - y) * EXTENT)]
}

export function isInTile(point: WorldPoint, { z, x, y }: TileAddress): boolean {
  const scale = 2 ** z
  return Math.floor(point.x * scale) === x && Math.floor(point.y * scale) === y
}

/** Where a zone's name or sums belong: its centre of gravity, or, where that is outside, the widest place beside it. */
export function toLabelPosition(geometry: ZoneGeometry): Position {
  const rings = toPolygons(geometry).flatMap(([outer]) => (outer ? [outer] : []))
  const largest = rings.reduce<LonLat[]>(
    (best, ring) => (Math.abs(toArea(ring)) > Math.abs(toArea(best)) ? ring : best),
    [],
  )
  const [lon, lat] = toCentroid(largest)
  const crossings = toCrossings(largest, lat)
  let [west, east] = [lon, lon]
  for (let index = 0; index + 1 < crossings.length; index += 2) {
    const [from = lon, to = lon] = crossings.slice(index, index + 2)
    if (from <= lon && lon <= to) return { lon, lat }
    if (to - from > east - west) [west, east] = [from, to]
  }
  return { lon: (west + east) / 2, lat }
}

/** Just inside the square, so that its eastern and southern edges belong to the last tile. */
function toInside(value: number): number {
  return Math.min(Math.max(value, 0), 1 - 2 ** -40)
}

function toArea(ring: readonly LonLat[]): number {
  let area = 0
  ring.forEach(([lon, lat], index) => {
    const [nextLon, nextLat] = ring[index + 1] ?? [lon, lat]
    area += lon * nextLat - nextLon * lat
  })
  return area / 2
}

function toCentroid(ring: readonly LonLat[]): LonLat {
  const [west, south, east, north] = boundsOf(ring)
  const middle: LonLat = [(west + east) / 2, (south + north) / 2]
  // Around the middle of the box, because differences of large numbers would cost digits.
  const [lon0, lat0] = middle
  const area = toArea(ring)
  if (area === 0) return middle
  let [lonSum, latSum] = [0, 0]
  ring.forEach(([lon, lat], index) => {
    const [nextLon, nextLat] = ring[index + 1] ?? [lon, lat]
    const cross = (lon - lon0) * (nextLat - lat0) - (nextLon - lon0) * (lat - lat0)
    lonSum += (lon + nextLon - 2 * lon0) * cross
    latSum += (lat + nextLat - 2 * lat0) * cross
  })
  return [lon0 + lonSum / (6 * area), lat0 + latSum / (6 * area)]
}

/** Where the ring crosses a latitude, from west to east: inside lies between the first and second, and so on. */
function toCrossings(ring: readonly LonLat[], latitude: number): number[] {
  const crossings: number[] = []
  ring.forEach(([lon, lat], index) => {
    const [nextLon, nextLat] = ring[index + 1] ?? [lon, lat]
    if (lat > latitude !== nextLat > latitude)
      crossings.push(lon + ((latitude - lat) / (nextLat - lat)) * (nextLon - lon))
  })
  return crossings.sort((a, b) => a - b)
}
