import type { Fields, Telemetry } from '../../../codec.ts'

/**
 * What a luminaire's packet says of the lamp. Several drivers are one lamp: it is as bright as its brightest, defective
 * when one of them is, and uses what is measured inside it, or else what its drivers use together.
 */
export function toLampMetrics(data: Fields): Telemetry {
  const drivers = ['profiles', 'dimming_source', 'destination', 'dali_statuses', 'drivers'].flatMap((name) =>
    toList(data[name]),
  )
  const consumption = toList(data.consumption)
  return {
    ...toLight(drivers),
    ...toCondition(drivers, data),
    powerConsumption: toTotal(consumption, 'active_power__W') ?? toNumber(data.power__W),
    energy: toKilowattHours(toTotal(consumption, 'active_energy__Wh')),
  }
}

function toLight(drivers: readonly Fields[]): Telemetry {
  const levels = drivers
    .map(({ dimming_level__percent: level }) => toNumber(level))
    .filter((level) => level !== undefined)
  if (levels.length > 0) {
    const highest = Math.max(...levels)
    return { illuminanceLevel: highest / 100, powerState: toPowerState(highest) }
  }
  if (drivers.some(({ reason }) => reason === 'relay_off')) return { illuminanceLevel: 0, powerState: 'off' }
  const statuses = drivers.map(({ status }) => status).filter(isFields)
  if (statuses.length === 0) return {}
  return { powerState: statuses.some(({ lamp_on }) => lamp_on === true) ? 'on' : 'off' }
}

/** A driver that is not powered says nothing of its lamp, so nothing is said of it here. */
function toCondition(drivers: readonly Fields[], data: Fields): Telemetry {
  const alerts = isFields(data.active_alerts) ? data.active_alerts : data.analog_interfaces
  const isAlerted = isFields(alerts) && alerts.lamp_error_alert_in_24h === true
  const heard = drivers.filter(({ reason }) => reason !== 'relay_off' && reason !== 'driver_not_found')
  const statuses = heard.map(({ status }) => status).filter(isFields)
  const isDefective = statuses.some(
    ({ lamp_failure, driver_error }) => lamp_failure === true || driver_error === true,
  )
  if (isDefective || isAlerted || data.lamp_error_alert === true) return { status: 'defectiveLamp' }
  return statuses.length > 0 ? { status: 'ok' } : {}
}

function toPowerState(percent: number): string {
  if (percent === 0) return 'off'
  return percent < 100 ? 'low' : 'on'
}

function toTotal(consumption: readonly Fields[], name: string): number | undefined {
  const inside = consumption.find(({ address }) => address === 'internal_measurement')
  const measured = toNumber(inside?.[name])
  if (measured !== undefined) return measured
  const parts = consumption.map((entry) => toNumber(entry[name])).filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : parts.reduce((sum, part) => sum + part, 0)
}

function toKilowattHours(wattHours: number | undefined): number | undefined {
  return wattHours === undefined ? undefined : wattHours / 1_000
}

function toNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function toList(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : []
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
