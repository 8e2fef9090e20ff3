import { setImmediate as giveWay } from 'node:timers/promises'
import { createZoneIndex, reportingIntervalMs, type Kinds, type Sensor, type Zone } from '@pulso/model'
import type { Rollups, SensorPlace } from '@pulso/stores'

/** Where each sensor counts, told to the store. */
export interface Places {
  /** New or changed sensors. */
  know(sensors: Iterable<Sensor>): void
  /** Tells what is new. To be awaited before anything is rolled up or measured. */
  tell(): Promise<void>
}

export interface PlacesOptions {
  kinds: Kinds
  zones: readonly Zone[]
  rollups: Pick<Rollups, 'putPlaces'>
  /** The longest that a value holds. */
  maxHoldMs: number
}

/** A city's sensors are placed in portions, so that a start with many of them keeps nobody waiting. */
const PORTION = 5_000

export function createPlaces({ kinds, zones, rollups, maxHoldMs }: PlacesOptions): Places {
  const index = createZoneIndex(zones)
  const told = new Map<string, SensorPlace>()
  let waiting: Sensor[] = []
  let telling: Promise<void> | undefined

  const toPlace = (sensor: Sensor): SensorPlace[] => {
    const holdMs = toHoldMs(sensor, { kinds, maxHoldMs })
    if (holdMs === undefined) return []
    const place = { sensorId: sensor.id, kind: sensor.kind, zone: index.find(sensor.position), holdMs }
    const known = told.get(sensor.id)
    return known?.zone === place.zone && known.holdMs === place.holdMs ? [] : [place]
  }

  const tellAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const portion = waiting.slice(0, PORTION)
      const places = portion.flatMap(toPlace)
      if (places.length > 0) await rollups.putPlaces(places)
      for (const place of places) told.set(place.sensorId, place)
      waiting = waiting.slice(portion.length)
      await giveWay()
    }
  }

  return {
    know(sensors) {
      for (const sensor of sensors) waiting.push(sensor)
    },
    async tell() {
      while (waiting.length > 0) await (telling ??= tellAll().finally(() => (telling = undefined)))
    },
  }
}

/** How long a sensor's value holds when nothing follows; `undefined` for a kind that this city does not have. */
export function toHoldMs(
  { kind: kindId, attributes }: Pick<Sensor, 'kind' | 'attributes'>,
  { kinds, maxHoldMs }: { kinds: Kinds; maxHoldMs: number },
): number | undefined {
  const kind = kinds.get(kindId)
  return kind && Math.min(maxHoldMs, reportingIntervalMs({ kind, attributes }) * kind.offlineAfterIntervals)
}
