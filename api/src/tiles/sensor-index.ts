import { setImmediate as nextTurn } from 'node:timers/promises'
import { toFeatureId, type Sensor } from '@pulso/model'
import type { CurrentState } from '../current/current-state.ts'
import type { Entry } from '../current/entry.ts'
import { toWorldPoint, type TileAddress, type WorldPoint } from './mercator.ts'

/** Sensors are kept by the tile of this zoom that they lie in. */
export const BUCKET_ZOOM = 14

/** How many sensors are looked at before others have their turn: a few milliseconds. */
const SLICE_SENSORS = 1_000

export interface PlacedSensor {
  entry: Entry
  /** What it was indexed by: the current state replaces it with each change. */
  sensor: Sensor
  /** `null` while nobody placed it. */
  point: WorldPoint | null
  bucket: Bucket | undefined
  featureId: number
}

export interface Bucket {
  x: number
  y: number
  /** Of which change of the index this is the newest. */
  version: number
  members: Set<PlacedSensor>
}

export interface SensorIndex {
  /**
   * Brings it up to date with the current state: everything at the first call, what changed at later ones. Others have
   * their turn in between; callers of the same moment share the work.
   */
  update(): Promise<void>
  /** The buckets that a tile lies over, or the one that it lies in. */
  bucketsOf(tile: TileAddress): Bucket[]
  /** Rises with each sensor that was added, moved or changed. */
  readonly version: number
}

export interface SensorIndexOptions {
  current: Pick<CurrentState, 'values' | 'sensorsVersion'>
  /** Another one in tests, to see ids meet. */
  toNumber?: (text: string) => number
}

/** Where the sensors are, for tiles. Built when somebody first asks for one. */
export function createSensorIndex({ current, toNumber = toFeatureId }: SensorIndexOptions): SensorIndex {
  const placed = new Map<string, PlacedSensor>()
  const numbers = createNumbers(toNumber)
  const buckets = new Map<number, Bucket>()
  let version = 0
  let indexedVersion = -1
  let running: Promise<void> | undefined

  const bucketAt = ({ x, y }: WorldPoint): Bucket => {
    const scale = 2 ** BUCKET_ZOOM
    const place = { x: Math.floor(x * scale), y: Math.floor(y * scale) }
    const bucket = buckets.get(toKey(place)) ?? { ...place, version, members: new Set() }
    buckets.set(toKey(place), bucket)
    return bucket
  }

  const touch = (bucket: Bucket | undefined): void => {
    version += 1
    if (bucket) bucket.version = version
  }

  const leave = (item: PlacedSensor): void => {
    const { bucket } = item
    bucket?.members.delete(item)
    if (bucket?.members.size === 0) buckets.delete(toKey(bucket))
  }

  const put = (entry: Entry): void => {
    const { sensor } = entry
    const known = placed.get(sensor.id)
    if (known?.sensor === sensor) return
    const point = sensor.position && toWorldPoint(sensor.position)
    const item = known ?? { entry, sensor, point, bucket: undefined, featureId: 0 }
    if (!known) {
      placed.set(sensor.id, item)
      // Also the sensors without a place, so that placing one changes no other's number.
      for (const renumbered of numbers.give(item)) touch(renumbered.bucket)
    }
    touch(item.bucket)
    leave(item)
    item.sensor = sensor
    item.point = point
    item.bucket = point ? bucketAt(point) : undefined
    item.bucket?.members.add(item)
    touch(item.bucket)
  }

  const scan = async (): Promise<void> => {
    const target = current.sensorsVersion
    let looked = 0
    for (const entry of current.values()) {
      put(entry)
      looked += 1
      if (looked % SLICE_SENSORS === 0) await nextTurn()
    }
    indexedVersion = target
  }

  return {
    async update() {
      if (indexedVersion === current.sensorsVersion) return
      running ??= scan().finally(() => {
        running = undefined
      })
      await running
    },
    bucketsOf({ z, x, y }) {
      const shift = BUCKET_ZOOM - z
      if (shift <= 0) {
        const bucket = buckets.get(toKey({ x: x >> -shift, y: y >> -shift }))
        return bucket ? [bucket] : []
      }
      return [...buckets.values()].filter((bucket) => bucket.x >> shift === x && bucket.y >> shift === y)
    },
    get version() {
      return version
    },
  }
}

function toKey({ x, y }: Pick<Bucket, 'x' | 'y'>): number {
  return y * 2 ** BUCKET_ZOOM + x
}

/**
 * Gives each sensor its number. Of two whose ids give the same, the one created first keeps it, whatever the order in
 * which they come: so a restart gives everybody the number they had.
 */
function createNumbers(toNumber: (text: string) => number): {
  /** @returns those that got another number for it */
  give(item: PlacedSensor): PlacedSensor[]
} {
  const owners = new Map<number, PlacedSensor>()
  return {
    give(item) {
      const displaced: PlacedSensor[] = []
      let homeless: PlacedSensor | undefined = item
      while (homeless) {
        const place = findPlace(owners, homeless, toNumber)
        const before: PlacedSensor | undefined = owners.get(place)
        owners.set(place, homeless)
        homeless.featureId = place
        if (before) displaced.push(before)
        homeless = before
      }
      return displaced
    },
  }
}

/** The first of a sensor's numbers that is free or held by a younger sensor. */
function findPlace(
  owners: ReadonlyMap<number, PlacedSensor>,
  { sensor }: PlacedSensor,
  toNumber: (text: string) => number,
): number {
  for (let attempt = 0; ; attempt++) {
    const place = toNumber(attempt === 0 ? sensor.id : `${sensor.id}#${attempt}`)
    const owner = owners.get(place)?.sensor
    if (!owner || isOlder(sensor, owner)) return place
  }
}

function isOlder(a: Sensor, b: Sensor): boolean {
  return a.createdAtMs === b.createdAtMs ? a.id < b.id : a.createdAtMs < b.createdAtMs
}
