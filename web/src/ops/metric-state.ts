import type { KindView, MetricView } from '@pulso/model'
import type { StateView } from '../shared/kinds.ts'

/** For values that the kind's legend does not name; told apart in the common forms of colour blindness (Okabe–Ito). */
const SPARE_COLOURS = ['#56B4E9', '#E69F00', '#CC79A7', '#0072B2', '#F0E442', '#8A949E'] as const

/** How to draw a value of a state metric: the legend's own entry where there is one, else its word with a spare colour. */
export function toMetricState(kind: KindView, metric: MetricView, value: string): StateView {
  const known = kind.states.find(({ id }) => id === value)
  if (known) return known
  const unnamed = (metric.values ?? []).filter((one) => !kind.states.some(({ id }) => id === one))
  const index = Math.max(0, unnamed.indexOf(value)) % SPARE_COLOURS.length
  const colour = SPARE_COLOURS[index] ?? SPARE_COLOURS[0]
  return { id: value, title: { en: value, es: value, fr: value }, colour, symbol: '' }
}
