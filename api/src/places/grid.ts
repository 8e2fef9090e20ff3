import type { Position } from '@pulso/model'
import type { Entry } from '../current/entry.ts'
import { tallyOf, updateShare, type Place, type Share } from './place.ts'

/** Metres of a cell's side: some hundred bays of a dense city, and a search looks at a few cells. */
const CELL_M = 300
const METRES_A_DEGREE = 111_195
const EARTH_RADIUS_M = 6_371_008.8
/** More columns than there are anywhere on earth. */
const COLUMNS = 200_000

/** In metres, see `createProjection`. */
interface Point {
  x: number
  y: number
}

interface Spot extends Point {
  share: Share
  position: Position
  cluster: Cluster
  /** Where it stands in its cluster. */
  index: number
}

/** A place's sensors within one cell; the first `free` of them are free. */
interface Cluster {
  place: Place
  spots: Spot[]
  free: number
}

interface Found {
  spot: Spot
  distanceM: number
}

export interface Near {
  place: Place
  /** Of its nearest free one, or of its nearest where nothing is free. */
  position: Position
  distanceM: number
}

export interface Search {
  from: Position
  /** Enough is found when this many are there that count. */
  limit: number
  radiusM: number
  /** Whether places are wanted where nothing is free, or nobody knows. */
  includeFull: boolean
  /** Whether this one counts towards the limit; those that do not are given as well. */
  counts(place: Place): boolean
}

export interface Grid {
  /** Places by distance, each with its nearest (free) sensor: all within a circle that holds enough of them. */
  search(search: Search): Near[]
  /** The sensor has changed. */
  update(entry: Entry): void
}

/** Where places' sensors are, in cells. */
export function createGrid(shares: readonly Share[]): Grid {
  const projection = createProjection(shares)
  const cells = new Map<number, Cluster[]>()
  const spots = new Map<Entry, Spot>()
  const ringSteps: [number, number][][] = []
  for (const share of shares) {
    const { place, entry } = share
    const { position } = entry.sensor
    if (!position) continue
    const { x, y } = projection(position)
    const key = toCell(Math.floor(x / CELL_M), Math.floor(y / CELL_M))
    const clusters = cells.get(key) ?? []
    cells.set(key, clusters)
    let cluster = clusters.find((one) => one.place === place)
    if (!cluster) clusters.push((cluster = { place, spots: [], free: 0 }))
    const spot = { share, position, x, y, cluster, index: cluster.spots.length }
    cluster.spots.push(spot)
    spots.set(entry, spot)
    if (share.free > 0) moveToFree(spot)
  }

  return {
    update(entry) {
      const spot = spots.get(entry)
      if (!spot) return
      const wasFree = spot.share.free > 0
      updateShare(spot.share)
      if (spot.share.free > 0 === wasFree) return
      if (wasFree) moveToOthers(spot)
      else moveToFree(spot)
    },
    search(search) {
      const at = projection(search.from)
      const [column, row] = [Math.floor(at.x / CELL_M), Math.floor(at.y / CELL_M)]
      const best = new Map<Place, Found>()
      const rings = Math.ceil(search.radiusM / CELL_M)
      for (let ring = 0; ring <= rings; ring++) {
        const steps = (ringSteps[ring] ??= toRing(ring))
        for (const [dx, dy] of steps) {
          const clusters = cells.get(toCell(column + dx, row + dy))
          if (!clusters) continue
          const edgeM = edgeOf(at, { west: (column + dx) * CELL_M, south: (row + dy) * CELL_M })
          if (edgeM <= search.radiusM) visit(clusters, { at, edgeM, search, best })
        }
        // Whatever is nearer than the cell's width times the ring's number has been seen.
        if (hasEnough(best, search, ring * CELL_M)) break
      }
      return [...best]
        .map(([place, { spot }]) => toNear(place, spot, search.from))
        .sort((a, b) => a.distanceM - b.distanceM)
    },
  }
}

/** Looks into a cell for what is nearer than the best known of each place. */
function visit(
  clusters: readonly Cluster[],
  { at, edgeM, search, best }: { at: Point; edgeM: number; search: Search; best: Map<Place, Found> },
): void {
  for (const cluster of clusters) {
    const knownM = best.get(cluster.place)?.distanceM ?? search.radiusM
    if (knownM <= edgeM) continue
    const nearest = nearestOf(cluster, at, search)
    if (nearest && nearest.distanceM < knownM) best.set(cluster.place, nearest)
  }
}

function hasEnough(best: ReadonlyMap<Place, Found>, { limit, counts }: Search, seenM: number): boolean {
  if (best.size < limit) return false
  let count = 0
  for (const [place, { distanceM }] of best) if (distanceM <= seenM && counts(place)) count += 1
  return count >= limit
}

/** The cells of a ring around one, each once, as steps from it. */
function toRing(ring: number): [number, number][] {
  const steps: [number, number][] = []
  for (let dx = -ring; dx <= ring; dx++) {
    for (let dy = -ring; dy <= ring; dy++) {
      if (Math.max(Math.abs(dx), Math.abs(dy)) === ring) steps.push([dx, dy])
    }
  }
  return steps
}

function nearestOf(cluster: Cluster, { x, y }: Point, { includeFull }: Search): Found | undefined {
  // Where something is free, the way there counts, and not that to a full one next door.
  const isFree = (tallyOf(cluster.place).free ?? 0) > 0
  const count = isFree ? cluster.free : includeFull ? cluster.spots.length : 0
  let nearest: Spot | undefined
  let square = Infinity
  for (let index = 0; index < count; index++) {
    const spot = cluster.spots[index]
    if (!spot) continue
    const own = (spot.x - x) ** 2 + (spot.y - y) ** 2
    if (own >= square) continue
    square = own
    nearest = spot
  }
  return nearest && { spot: nearest, distanceM: Math.sqrt(square) }
}

function moveToFree(spot: Spot): void {
  swap(spot, spot.cluster.free)
  spot.cluster.free += 1
}

function moveToOthers(spot: Spot): void {
  spot.cluster.free -= 1
  swap(spot, spot.cluster.free)
}

function swap(spot: Spot, index: number): void {
  const { spots } = spot.cluster
  const other = spots[index]
  if (!other) return
  spots[spot.index] = other
  other.index = spot.index
  spots[index] = spot
  spot.index = index
}

function toNear(place: Place, { position }: Spot, from: Position): Near {
  return { place, position, distanceM: distanceBetween(from, position) }
}

/** Great circle, in metres: the haversine formula on a sphere of the earth's mean radius. */
export function distanceBetween(a: Position, b: Position): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180
  const [fromLat, toLat] = [radians(a.lat), radians(b.lat)]
  const across = Math.sin((toLat - fromLat) / 2) ** 2
  const along = Math.cos(fromLat) * Math.cos(toLat) * Math.sin(radians(b.lon - a.lon) / 2) ** 2
  return 2 * EARTH_RADIUS_M * Math.asin(Math.sqrt(Math.min(1, across + along)))
}

/** Metres from the equator and Greenwich, true in the city: a degree of longitude is as long as at its middle latitude. */
function createProjection(shares: readonly Share[]): (position: Position) => Point {
  const latitudes = shares
    .map(({ entry }) => entry.sensor.position?.lat)
    .filter((lat) => lat !== undefined)
    .sort((a, b) => a - b)
  const metresALongitude =
    METRES_A_DEGREE * Math.cos(((latitudes[latitudes.length >> 1] ?? 0) * Math.PI) / 180)
  return ({ lat, lon }) => ({ x: lon * metresALongitude, y: lat * METRES_A_DEGREE })
}

function toCell(column: number, row: number): number {
  return row * COLUMNS + column
}

/** How far the nearest corner or side of a cell is. */
function edgeOf({ x, y }: Point, { west, south }: { west: number; south: number }): number {
  const dx = Math.max(west - x, 0, x - west - CELL_M)
  const dy = Math.max(south - y, 0, y - south - CELL_M)
  return Math.sqrt(dx * dx + dy * dy)
}
