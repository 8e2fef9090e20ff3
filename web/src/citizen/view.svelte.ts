import { writeAddress } from '../shared/address.ts'
import { parseViewAddress, writePosition, type MapPosition } from './view-address.ts'

/** Sensors that lie in no district. `~` cannot be a zone's id. */
export const OUTSIDE = '~'

export interface View {
  readonly kind: string | null
  readonly zone: string | null
  readonly sensor: string | null
  /** Where a permalink wants the map; read once. */
  readonly start: MapPosition | null
  showKind(kind: string): void
  showZone(zone: string | null): void
  /** `kind` where the sensor is of another one than is shown. */
  showSensor(sensor: string | null, kind?: string): void
  moveMap(position: MapPosition): void
  /** One step back: from the sensor to its zone, from the zone to all. */
  back(): void
}

/** What is being looked at, kept in the address so that it can be passed on. */
export function createView(): View {
  const start = parseViewAddress(location.search)
  let kind = $state(start.kind)
  let zone = $state(start.zone)
  let sensor = $state(start.sensor)
  const write = (): void => writeAddress({ kind, zone, sensor })

  const view: View = {
    get kind() {
      return kind
    },
    get zone() {
      return zone
    },
    get sensor() {
      return sensor
    },
    start: start.at,
    showKind(wanted) {
      if (wanted !== kind) sensor = null
      kind = wanted
      write()
    },
    showZone(wanted) {
      zone = wanted
      sensor = null
      write()
    },
    showSensor(wanted, itsKind) {
      if (itsKind) kind = itsKind
      sensor = wanted
      write()
    },
    moveMap: (position) => writeAddress({ at: writePosition(position) }),
    back() {
      if (sensor !== null) view.showSensor(null)
      else view.showZone(null)
    },
  }
  return view
}
