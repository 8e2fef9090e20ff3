import type { Attributes, HourlyMean, MetricValue } from './kind.ts'

export interface Position {
  /** WGS 84 degrees, -90 to 90. */
  lat: number
  /** WGS 84 degrees, -180 to 180. */
  lon: number
}

/** How a sensor is known to a LoRaWAN network, where it speaks through one. */
export interface LorawanDevice {
  /** 16 hex digits, upper case; unique in the city. */
  devEui: string
  /** Name of the codec that reads its payload; `null` where the network decodes. */
  codec: string | null
}

/** What the registry knows of a sensor. Its zone is derived from the position and the city file. */
export interface Sensor {
  id: string
  kind: string
  name: string | null
  /** `null` until someone places it. */
  position: Position | null
  attributes: Attributes
  createdAtMs: number
  lorawan?: LorawanDevice
}

/** One validated measurement: identity is (sensor, time), merged per metric. */
export interface Reading {
  sensorId: string
  /** The device's time, or our receive time where it sent none. */
  timeMs: number
  receivedAtMs: number
  values: Readonly<Record<string, MetricValue>>
}

export interface TimedValue {
  value: MetricValue
  timeMs: number
}

/** The newest that is known of a sensor. */
export interface SensorState {
  sensorId: string
  kind: string
  /** Time of the newest reading by the device's clock; a late reading never moves it back. */
  timeMs: number
  receivedAtMs: number
  /** The newest value of each metric with its own time. */
  values: Readonly<Record<string, TimedValue>>
  /** Means of the hour before `timeMs`, for the kind's `hourlyMetrics`. */
  hourly: Readonly<Record<string, HourlyMean>>
  /** What the device's connection last said of itself; it says nothing about the readings' freshness. */
  presence: 'online' | 'offline' | null
}
