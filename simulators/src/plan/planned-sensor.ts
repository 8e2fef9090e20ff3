import type { Position, Sensor } from '@pulso/model'

/** A sensor as the registry wants it, but for the time of its creation. */
export type PlannedSensor = Omit<Sensor, 'createdAtMs' | 'name' | 'position'> & {
  name: string
  position: Position
}

/** A sensor before it is numbered. */
export type Placed = Omit<PlannedSensor, 'id'>
