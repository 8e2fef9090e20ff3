import type { LonLat, Position } from '@pulso/model'

/** Metres east and north of an origin: over a city the earth is flat enough. */
export interface Point {
  x: number
  y: number
}

export interface Projection {
  toPoint(lonLat: LonLat): Point
  toPosition(point: Point): Position
}

/** Metres of one degree of latitude on the mean earth radius of 6,371 km. */
const METRES_PER_DEGREE = 111_195

export function createProjection([lon0, lat0]: LonLat): Projection {
  const perDegreeLon = METRES_PER_DEGREE * Math.cos((lat0 * Math.PI) / 180)
  return {
    toPoint: ([lon, lat]) => ({ x: (lon - lon0) * perDegreeLon, y: (lat - lat0) * METRES_PER_DEGREE }),
    // Seven digits are a centimetre; more would only make the payloads longer.
    toPosition: ({ x, y }) => ({
      lon: roundDegrees(lon0 + x / perDegreeLon),
      lat: roundDegrees(lat0 + y / METRES_PER_DEGREE),
    }),
  }
}

function roundDegrees(degrees: number): number {
  return Math.round(degrees * 1e7) / 1e7
}

export interface PathPoint extends Point {
  /** Unit vector of the direction of travel. */
  dx: number
  dy: number
}

/** A line that can be walked along. */
export interface Path {
  points: readonly Point[]
  lengthM: number
  at(distanceM: number): PathPoint
}

export function createPath(points: readonly Point[]): Path {
  const starts: number[] = []
  let lengthM = 0
  for (let i = 0; i + 1 < points.length; i++) {
    starts.push(lengthM)
    lengthM += distanceBetween(points[i], points[i + 1])
  }
  return {
    points,
    lengthM,
    at(distanceM) {
      let index = starts.length - 1
      while (index > 0 && (starts[index] ?? 0) > distanceM) index--
      const from = points[index] ?? { x: 0, y: 0 }
      const to = points[index + 1] ?? from
      const segmentM = distanceBetween(from, to) || 1
      const dx = (to.x - from.x) / segmentM
      const dy = (to.y - from.y) / segmentM
      const along = distanceM - (starts[index] ?? 0)
      return { x: from.x + dx * along, y: from.y + dy * along, dx, dy }
    },
  }
}

/** Beside the path: positive metres to the right of the direction of travel, negative to the left. */
export function besidePath({ x, y, dx, dy }: PathPoint, rightM: number): Point {
  return { x: x + dy * rightM, y: y - dx * rightM }
}

export function distanceBetween(a: Point | undefined, b: Point | undefined): number {
  return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0
}

/** Metres from a point to the nearest place on a path. */
export function distanceToPath(point: Point, { points }: Path): number {
  let nearest = Infinity
  for (let i = 0; i + 1 < points.length; i++) {
    const [a, b] = [points[i], points[i + 1]]
    if (!a || !b) continue
    const [dx, dy] = [b.x - a.x, b.y - a.y]
    const squared = dx * dx + dy * dy
    const share = squared === 0 ? 0 : ((point.x - a.x) * dx + (point.y - a.y) * dy) / squared
    const along = Math.min(1, Math.max(0, share))
    nearest = Math.min(nearest, Math.hypot(point.x - a.x - dx * along, point.y - a.y - dy * along))
  }
  return nearest
}
