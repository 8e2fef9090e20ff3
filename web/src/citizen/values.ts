import type { KindView, Language, MetricView } from '@pulso/model'
import type { Format } from '../shared/format.ts'
import type { StateView } from '../shared/kinds.ts'

export interface Words {
  format: Format
  language: Language
}

/** A value as a person reads it: a state's name where the legend has one, a number with its unit. */
export function writeValue(
  { kind, metric }: { kind: KindView; metric: MetricView },
  value: number | string,
  words: Words,
): string {
  if (typeof value === 'number') return words.format.metricText(metric, value)
  const state = kind.states.find(({ id }) => id === value)
  return state ? state.title[words.language] : toWords(value)
}

/** `bootingUp` → `Booting up`: for the values that no legend translates. */
export function toWords(id: string): string {
  const spaced = id.replace(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase()
  return spaced.charAt(0).toUpperCase() + spaced.slice(1)
}

/** The metric a person asks for first: the kind's own choice, else the first that has a value. */
export function pickMetric(kind: KindView, known: Readonly<Record<string, unknown>>): MetricView | undefined {
  const wanted = kind.metrics.find(({ id }) => id === kind.headlineMetric)
  return wanted ?? kind.metrics.find(({ id }) => id in known) ?? kind.metrics[0]
}

/** Colours for a state metric's values that the legend does not know, told apart by their order. */
const VALUE_COLOURS = ['#3b7ea8', '#c58f2c', '#7a6fb0', '#4f9a8b', '#b0647a', '#6f7f8d']

/** How a value of a state metric is drawn: as the legend's state of that name, else in a colour of its own. */
export function findValueState(kind: KindView, metric: MetricView, value: string): StateView {
  const known = kind.states.find(({ id }) => id === value)
  if (known) return known
  const index = Math.max(metric.values?.indexOf(value) ?? 0, 0)
  const title = toWords(value)
  return {
    id: value,
    title: { en: title, es: title, fr: title },
    colour: VALUE_COLOURS[index % VALUE_COLOURS.length] ?? '#6f7f8d',
    symbol: title.charAt(0),
  }
}
