import { promisify } from 'node:util'
import { gzip as gzipCallback } from 'node:zlib'
import { SECOND_MS, type Clock, type Zone } from '@pulso/model'
import type { CurrentState } from '../current/current-state.ts'
import { isInTile, toLabelPosition, toWorldPoint, type TileAddress } from './mercator.ts'
import {
  BUCKET_ZOOM,
  createSensorIndex,
  type Bucket,
  type PlacedSensor,
  type SensorIndex,
} from './sensor-index.ts'
import { toClusterFeatures, toSensorFeature, toZoneFeature, type TileFeature } from './tile-features.ts'
import { createTileCache, type BuiltTile, type EncodedTile } from './tile-cache.ts'

/** Zones up to here, clusters from the next on. */
export const ZONES_MAX_ZOOM = 10
/** Single sensors from here on. */
export const SENSORS_MIN_ZOOM = BUCKET_ZOOM
/** Maps stretch the last tiles when they go nearer: a unit of these is 10 cm in Europe. */
export const TILES_MAX_ZOOM = 16

/**
 * More sensors than this in a tile are told in clusters, at the last zoom too: so many dots are a stain on the map,
 * and encoding them would keep everybody else waiting (10,000 take about 30 ms).
 */
export const MAX_TILE_SENSORS = 10_000

/** How old what a tile counts may be. MapLibre asks again when it is over, so clusters stay alive on an open map. */
const COUNTS_MAX_AGE_MS = 5 * SECOND_MS
/** How long a sensor that was moved or added may be drawn where it was. */
const PLACES_MAX_AGE_MS = 60 * SECOND_MS

const gzip = promisify(gzipCallback)

export interface TileRequest extends TileAddress {
  /** All kinds when absent. */
  kinds?: ReadonlySet<string>
  /** Single sensors carry how they stand. */
  withState: boolean
}

export interface SensorTile extends EncodedTile {
  /** How long it may be kept. */
  maxAgeMs: number
}

export interface SensorTiles {
  /** `undefined` for a tile with nothing in it. */
  get(request: TileRequest): Promise<SensorTile | undefined>
}

export interface SensorTilesOptions {
  current: CurrentState
  zones: readonly Zone[]
  clock: Clock
  index?: SensorIndex
}

/**
 * The sensors as vector tiles: zones with their sums from afar, clusters with theirs nearer, then each sensor.
 *
 * How a single sensor stands is not in its tile unless asked for. Its tile then holds for as long as nobody moves a
 * sensor, is encoded once for everybody, and a map colours it by the live feed through its feature state, which costs
 * a change a few bytes instead of a tile. Who has no feed asks for `state=true` and gets tiles that hold five seconds.
 */
export function createSensorTiles({
  current,
  zones,
  clock,
  index = createSensorIndex({ current }),
}: SensorTilesOptions): SensorTiles {
  const cache = createTileCache({ clock, countsMaxAgeMs: COUNTS_MAX_AGE_MS })
  const labels = new Map<string, { name: string; point: ReturnType<typeof toWorldPoint> }>()

  const labelOf = (id: string): { name: string; point: ReturnType<typeof toWorldPoint> } | undefined => {
    const zone = labels.has(id) ? undefined : zones.find((known) => known.id === id)
    if (zone) labels.set(id, { name: zone.name, point: toWorldPoint(toLabelPosition(zone.geometry)) })
    return labels.get(id)
  }

  const toZoneFeatures = (tile: TileRequest): TileFeature[] =>
    current.groups().zones.flatMap(({ kind, zone, view }) => {
      const label = zone === null || (tile.kinds && !tile.kinds.has(kind.id)) ? undefined : labelOf(zone)
      return label && isInTile(label.point, tile) ? [toZoneFeature(view, { ...label, tile })] : []
    })

  const toLayers = async (request: TileRequest, sensors: readonly PlacedSensor[]): Promise<Layers> => {
    if (request.z <= ZONES_MAX_ZOOM)
      // Sensors outside every zone would be missing from the city otherwise.
      return {
        zones: toZoneFeatures(request),
        clusters: await toClusterFeatures(
          sensors.filter(({ entry }) => entry.zone === null),
          request,
        ),
      }
    if (isSummed(request, sensors.length)) return { clusters: await toClusterFeatures(sensors, request) }
    const { withState } = request
    return { sensors: sensors.map((sensor) => toSensorFeature(sensor, { tile: request, withState })) }
  }

  const build = async (request: TileRequest, buckets: readonly Bucket[]): Promise<BuiltTile> => {
    const sensors = findSensors(buckets, request)
    const layers = await toLayers(request, sensors)
    // Places stay, counts do not.
    const isLasting = layers.sensors !== undefined && !request.withState
    const filled = Object.entries(layers).filter(([, features]) => features.length > 0)
    if (filled.length === 0) return { isLasting, tile: undefined }
    const { encodeTile } = await import('./encode.ts')
    const plain = encodeTile(Object.fromEntries(filled))
    return { isLasting, tile: { plain, gzipped: await gzip(plain) } }
  }

  return {
    async get(request) {
      await index.update()
      const buckets = index.bucketsOf(request)
      const { tile, isLasting, ageMs } = await cache.get(keyOf(request), {
        version: Math.max(0, ...buckets.map(({ version }) => version)),
        build: () => build(request, buckets),
      })
      return (
        tile && { ...tile, maxAgeMs: isLasting ? PLACES_MAX_AGE_MS : Math.max(0, COUNTS_MAX_AGE_MS - ageMs) }
      )
    },
  }
}

type Layers = Partial<Record<'zones' | 'clusters' | 'sensors', TileFeature[]>>

function isSummed({ z }: TileAddress, sensors: number): boolean {
  return z < SENSORS_MIN_ZOOM || sensors > MAX_TILE_SENSORS
}

function findSensors(buckets: readonly Bucket[], { kinds, ...tile }: TileRequest): PlacedSensor[] {
  const found: PlacedSensor[] = []
  for (const { members } of buckets) {
    for (const sensor of members) {
      if (kinds && !kinds.has(sensor.entry.kind.id)) continue
      if (tile.z <= BUCKET_ZOOM || (sensor.point && isInTile(sensor.point, tile))) found.push(sensor)
    }
  }
  return found
}

function keyOf({ z, x, y, kinds, withState }: TileRequest): string {
  return [z, x, y, withState, ...(kinds ? [...kinds].sort() : [])].join('/')
}
