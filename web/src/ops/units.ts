import type { Language } from '@pulso/model'
import type { Format } from '../shared/format.ts'

/** `0.2 kB`, `3.4 MB`, as the language writes it. */
export function formatBytes(bytes: number, language: Language): string {
  const units = ['kilobyte', 'megabyte', 'gigabyte', 'terabyte']
  const power = Math.min(Math.max(Math.floor(Math.log10(Math.max(1, bytes)) / 3), 1), units.length)
  const value = bytes / 1_000 ** power
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: units[power - 1] ?? 'kilobyte',
    maximumFractionDigits: value < 10 ? 1 : 0,
  }).format(value)
}

/** A short wait with the tenths that matter below ten seconds: `0.4 s`. */
export function formatWait(waitMs: number, format: Format): string {
  return waitMs < 10_000 ? `${format.number(waitMs / 1_000, 1)} s` : format.duration(waitMs)
}

/** A rate: one decimal while it is small, none when it is not. */
export function formatRate(perSecond: number, format: Format): string {
  return format.number(perSecond, perSecond < 10 ? 1 : 0)
}
