import type { Metric, UnitCode } from '@pulso/model'
import { refused, type Refused } from './decoder.ts'
import type { JsonObject } from './json.ts'

interface Conversion {
  to: UnitCode
  convert: (value: number) => number
}

const same = (value: number): number => value
const times = (factor: number) => (value: number) => value * factor
const by = (divisor: number) => (value: number) => value / divisor

/**
 * SenML's units (RFC 8428 section 12.1, RFC 8798 and the registry's later additions) that a metric of ours can be made of. `%` is, in spite of its name, the
 * ratio itself: the registry says so.
 */
const UNITS: Readonly<Record<string, readonly Conversion[]>> = {
  '/': [{ to: '1', convert: same }],
  '%': [{ to: '1', convert: same }],
  '1': [{ to: '1', convert: same }],
  count: [{ to: '1', convert: same }],
  '/100': [{ to: '1', convert: by(100) }],
  '/1000': [{ to: '1', convert: by(1_000) }],
  '%RH': [{ to: '1', convert: by(100) }],
  '%EL': [{ to: '1', convert: by(100) }],
  Cel: [{ to: 'Cel', convert: same }],
  K: [{ to: 'Cel', convert: (value) => value - 273.15 }],
  dB: [{ to: 'dB[SPL]', convert: same }],
  Bspl: [{ to: 'dB[SPL]', convert: times(10) }],
  dBm: [{ to: 'dB[mW]', convert: same }],
  dBW: [{ to: 'dB[mW]', convert: (value) => value + 30 }],
  W: [{ to: 'W', convert: same }],
  kW: [{ to: 'W', convert: times(1_000) }],
  J: [{ to: 'kW.h', convert: by(3_600_000) }],
  Wh: [{ to: 'kW.h', convert: by(1_000) }],
  kWh: [{ to: 'kW.h', convert: same }],
  'ug/m3': [
    { to: 'ug/m3', convert: same },
    { to: 'mg/m3', convert: by(1_000) },
  ],
  'mg/m3': [
    { to: 'ug/m3', convert: times(1_000) },
    { to: 'mg/m3', convert: same },
  ],
  'kg/m3': [
    { to: 'ug/m3', convert: times(1e9) },
    { to: 'mg/m3', convert: times(1e6) },
  ],
}

/** The unit of a sum is that of its values times seconds. */
const SUM_UNITS: Readonly<Record<string, string>> = { W: 'J' }

/**
 * A record's value in the metric's unit. A record without a unit is in the metric's own; a text has none.
 * @param metric `undefined` when the kind does not know the name: its value is taken as it is, to be counted
 */
export function toMetricValue(options: {
  record: JsonObject
  base: { bu: string | undefined; bv: number; bs: number }
  name: string
  metric: Metric | undefined
}): number | string | boolean | Refused {
  const { record, base, name, metric } = options
  const unit = (record.u as string | undefined) ?? base.bu
  if (Object.hasOwn(record, 'v')) return toNumber(base.bv + (record.v as number), { name, metric, unit })
  if (Object.hasOwn(record, 'vs')) return record.vs as string
  if (Object.hasOwn(record, 'vb')) return record.vb as boolean
  if (Object.hasOwn(record, 'vd')) {
    return metric ? refused('wrong-type', `${name} cannot be given as data (vd)`) : (record.vd as string)
  }
  const sumUnit = unit === undefined ? undefined : SUM_UNITS[unit]
  const sum = base.bs + (record.s as number)
  if (!metric) return sum
  // A sum over time is what a counter counts, where its unit comes to the same.
  if (metric.type === 'number' && metric.rollup === 'counter' && sumUnit !== undefined) {
    return toNumber(sum, { name, metric, unit: sumUnit })
  }
  return refused(
    'wrong-type',
    `${name} has a sum but no value, and is no sum of ${unit ?? 'anything'} over time`,
  )
}

function toNumber(
  value: number,
  { name, metric, unit }: { name: string; metric: Metric | undefined; unit: string | undefined },
): number | Refused {
  if (metric?.type !== 'number' || unit === undefined || unit === metric.unit) return value
  const conversions = Object.hasOwn(UNITS, unit) ? (UNITS[unit] ?? []) : []
  const conversion = conversions.find(({ to }) => to === metric.unit)
  if (!conversion) {
    const usable = Object.keys(UNITS).filter((each) => UNITS[each]?.some(({ to }) => to === metric.unit))
    return refused('wrong-type', `${name} cannot be in '${unit}': send it in ${usable.join(', ')}`)
  }
  // Without the last digits, which are noise of the conversion.
  return Number(conversion.convert(value).toPrecision(12))
}
