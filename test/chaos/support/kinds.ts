/** The kinds that chaos publishes as, each with a metric wide enough for a number that never comes twice. */
export interface ChaosKind {
  id: string
  /** Carries the serial number. */
  serialMetric: string
  toSerialValue: (serial: number) => number
  toSerial: (value: number) => number
  /** Filled in later, at a reading that is there already. */
  extraMetric: string
  /** Its metrics are open data, so their aggregates can be asked for. */
  isOpen: boolean
}

/** Serials end below this: then every one of them fits its kind's range. */
export const MAX_SERIAL = 10_000_000

export const LIGHTING: ChaosKind = {
  id: 'lighting',
  serialMetric: 'energy',
  toSerialValue: (serial) => serial,
  toSerial: (value) => value,
  extraMetric: 'powerConsumption',
  isOpen: true,
}

export const CHAOS_KINDS: readonly ChaosKind[] = [
  LIGHTING,
  {
    id: 'environment',
    serialMetric: 'pm10',
    toSerialValue: (serial) => serial / 10_000,
    toSerial: (value) => Math.round(value * 10_000),
    extraMetric: 'temperature',
    isOpen: true,
  },
  {
    id: 'parking',
    serialMetric: 'batteryLevel',
    toSerialValue: (serial) => serial / MAX_SERIAL,
    toSerial: (value) => Math.round(value * MAX_SERIAL),
    extraMetric: 'rssi',
    isOpen: false,
  },
]

/** A value of the extra metric that every kind here accepts. */
export function toExtraValue(serial: number): number {
  return serial % 20
}
