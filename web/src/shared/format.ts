import type { MetricView } from '@pulso/model'
import { translate, type Language } from './i18n.ts'
import { sharedMessages, type SharedKey } from './messages.ts'

export interface FormattedValue {
  /** The number or word. */
  value: string
  /** Its unit, empty where there is none. */
  unit: string
}

export interface Format {
  number(value: number, decimals?: number): string
  /** A share between 0 and 1. */
  percent(share: number, decimals?: number): string
  /** `40 s ago`; a time that lies ahead is `just now`. `undefined` and null are `never`. */
  age(ageMs: number | null | undefined): string
  /** `40 s`, `3 d 4 h`: at most two units. */
  duration(durationMs: number): string
  /** `14:05`, in the city's time zone. */
  clock(timeMs: number): string
  /** `Tue 3 June, 14:05:09`, in the city's time zone. */
  dateTime(timeMs: number): string
  /** A metric's value as a person reads it: the unit `ratio` is shown in percent, `null` as a dash. */
  metric(metric: MetricShape, value: number | string | null | undefined): FormattedValue
  /** The same in one string. */
  metricText(metric: MetricShape, value: number | string | null | undefined): string
}

export type MetricShape = Pick<MetricView, 'type'> &
  Partial<Pick<MetricView, 'unit' | 'symbol' | 'percent' | 'decimals'>>

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** Below this an age is `just now`: a reading is on its way that long. */
const NOW_MS = 2 * SECOND_MS

/** Numbers, ages, times and units in one language. */
export function createFormat(language: Language, timeZone?: string): Format {
  const zone = timeZone === undefined ? {} : { timeZone }
  const clock = new Intl.DateTimeFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...zone,
  })
  const dateTime = new Intl.DateTimeFormat(language, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    ...zone,
  })
  const numbers = new Map<number, Intl.NumberFormat>()
  const say = (key: SharedKey, params?: Record<string, string>): string =>
    translate(sharedMessages[language][key], language, params)

  const format: Format = {
    number(value, decimals = 0) {
      const known = numbers.get(decimals)
      const written =
        known ??
        new Intl.NumberFormat(language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
      if (!known) numbers.set(decimals, written)
      return written.format(value)
    },
    percent: (share, decimals = 0) => `${format.number(share * 100, decimals)} %`,
    duration: (durationMs) =>
      splitDuration(durationMs)
        .map(([count, unit]) => `${count} ${say(`unit.${unit}`)}`)
        .join(' '),
    age(ageMs) {
      if (ageMs === null || ageMs === undefined) return say('age.never')
      return ageMs < NOW_MS ? say('age.now') : say('age.ago', { duration: format.duration(ageMs) })
    },
    clock: (timeMs) => clock.format(timeMs),
    dateTime: (timeMs) => dateTime.format(timeMs),
    metric(metric, value) {
      if (value === null || value === undefined) return { value: '–', unit: '' }
      if (typeof value === 'string') return { value, unit: '' }
      if (metric.percent) return { value: format.number(value * 100, metric.decimals ?? 0), unit: '%' }
      return { value: format.number(value, metric.decimals ?? 0), unit: metric.symbol ?? '' }
    },
    metricText(metric, value) {
      const { value: text, unit } = format.metric(metric, value)
      return unit === '' ? text : `${text} ${unit}`
    },
  }
  return format
}

type DurationUnit = 'd' | 'h' | 'min' | 's'

/** Days with hours, hours with minutes, else one unit: nobody needs the seconds of a quarter of an hour. */
function splitDuration(durationMs: number): [number, DurationUnit][] {
  const rest = Math.max(0, durationMs)
  if (rest >= DAY_MS)
    return pair([Math.floor(rest / DAY_MS), 'd'], [Math.floor((rest % DAY_MS) / HOUR_MS), 'h'])
  if (rest >= HOUR_MS)
    return pair([Math.floor(rest / HOUR_MS), 'h'], [Math.floor((rest % HOUR_MS) / MINUTE_MS), 'min'])
  if (rest >= MINUTE_MS) return [[Math.floor(rest / MINUTE_MS), 'min']]
  return [[Math.floor(rest / SECOND_MS), 's']]
}

function pair(first: [number, DurationUnit], second: [number, DurationUnit]): [number, DurationUnit][] {
  return second[0] > 0 ? [first, second] : [first]
}
