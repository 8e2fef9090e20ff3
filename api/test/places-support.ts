import type { Sensor, SensorState } from '@pulso/model'
import { NOON_MS, toSensor, toState, WEST } from './helper.ts'

/** About this many metres north of the middle of the western zone. */
export function north(metres: number): { lat: number; lon: number } {
  return { lat: WEST.lat + metres / 111_195, lon: WEST.lon }
}

export function bay(id: string, metres: number, attributes: Sensor['attributes'] = {}): Sensor {
  return toSensor(id, { kind: 'parking', position: north(metres), attributes })
}

export function carPark(id: string, metres: number): Sensor {
  return toSensor(id, { kind: 'carpark', name: `Garage ${id}`, position: north(metres) })
}

export function bayIs(id: string, status: string, timeMs = NOON_MS): SensorState {
  return toState(id, { status }, { kind: 'parking', timeMs })
}

export function carParkHas(
  id: string,
  free: number,
  { timeMs = NOON_MS, ...further }: { timeMs?: number; status?: string } = {},
): SensorState {
  const values = { availableSpotNumber: free, totalSpotNumber: 100, ...further }
  return toState(id, values, { kind: 'carpark', timeMs })
}
