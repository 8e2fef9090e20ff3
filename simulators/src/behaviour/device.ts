import { DAY_MS, HOUR_MS } from '@pulso/model'
import type { PlannedSensor } from '../plan/planned-sensor.ts'
import { hashUnit, smoothNoise } from '../random.ts'
import { round, type Behaviour } from './behaviour.ts'

/** A bay sensor's battery, from new to changed. */
const BATTERY_LIFE_MS = 6.5 * 365 * DAY_MS
/** Batteries are changed before they are empty. */
const CHANGED_AT = 0.14
const FLAT_BATTERY = 0.03

/** Adds the battery's slow fall and the radio's signal, as battery devices report them. */
export function withBattery(sensor: PlannedSensor, behaviour: Behaviour, seed: number): Behaviour {
  const age = hashUnit(seed, 'battery', sensor.id)
  return addValues(behaviour, (timeMs) => {
    const life = timeMs / BATTERY_LIFE_MS + age
    return { batteryLevel: round(1 - (1 - CHANGED_AT) * (life - Math.floor(life)), 2) }
  })
}

export function withSignal(sensor: PlannedSensor, behaviour: Behaviour, seed: number): Behaviour {
  const mean = -72 - 38 * hashUnit(seed, 'rssi', sensor.id)
  return addValues(behaviour, (timeMs) => ({
    rssi: Math.round(mean + 5 * smoothNoise(seed, `rssi ${sensor.id}`, timeMs / HOUR_MS)),
  }))
}

/** A battery that nobody changed: the sensor still works, for now. */
export function withFlatBattery(behaviour: Behaviour): Behaviour {
  return addValues(behaviour, () => ({ batteryLevel: FLAT_BATTERY }))
}

/** A device that was never connected. */
export function withoutReports(behaviour: Behaviour): Behaviour {
  return { ...behaviour, reportTimes: () => [] }
}

/** A loose contact: the device reports during these hours of the UTC day only. */
export function withReportsBetween(behaviour: Behaviour, fromHour: number, toHour: number): Behaviour {
  return {
    ...behaviour,
    reportTimes: (fromMs, toMs) =>
      behaviour.reportTimes(fromMs, toMs).filter((timeMs) => {
        const hour = (timeMs % DAY_MS) / HOUR_MS
        return hour >= fromHour && hour < toHour
      }),
  }
}

function addValues(
  behaviour: Behaviour,
  more: (timeMs: number) => Readonly<Record<string, number>>,
): Behaviour {
  return { ...behaviour, valuesAt: (timeMs) => ({ ...behaviour.valuesAt(timeMs), ...more(timeMs) }) }
}
