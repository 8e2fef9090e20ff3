import type { KindView, MetricView, ZoneAggregate } from '@pulso/model'

/** Every kind's legend contains it: nothing is known, or not any more. */
export const UNKNOWN_STATE = 'unknown'

export type StateView = KindView['states'][number]
export type FigureView = KindView['figures'][number]

/** The legend's entry, or the kind's `unknown` for an id that the legend lacks. */
export function findState(kind: KindView, id: string): StateView {
  const known = kind.states.find((state) => state.id === id)
  const unknown = kind.states.find((state) => state.id === UNKNOWN_STATE)
  return known ?? unknown ?? { id, title: { en: id, es: id, fr: id }, colour: '#8A949E', symbol: '?' }
}

export function findMetric(kind: KindView, id: string | null | undefined): MetricView | undefined {
  return kind.metrics.find((metric) => metric.id === id)
}

export interface StateShare {
  state: StateView
  count: number
  share: number
}

/** How a zone's sensors stand, in the legend's order, without the states that nobody is in. */
export function toStateShares(kind: KindView, aggregate: ZoneAggregate | undefined): StateShare[] {
  if (!aggregate || aggregate.sensors === 0) return []
  return kind.states
    .map((state) => ({ state, count: aggregate.states[state.id] ?? 0 }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => ({ state, count, share: count / aggregate.sensors }))
}
