import type { KindView, Language, ZoneAggregate } from '@pulso/model'
import type { Format } from '../shared/format.ts'
import {
  findMetric,
  findState,
  toStateShares,
  UNKNOWN_STATE,
  type FigureView,
  type StateShare,
  type StateView,
} from '../shared/kinds.ts'

/**
 * What is said first about a zone. A kind whose second figure is `total` counts a part of a whole ("23 of 58 free");
 * any other kind is told by its worst state ("moderate").
 */
export type Headline =
  | { type: 'share'; part: number | null; whole: number | null; figure: FigureView; wholeFigure: FigureView }
  | { type: 'state'; state: StateView; count: number; common: StateView }
  | { type: 'nothing' }

const WHOLE_FIGURE = 'total'

export function toHeadline(kind: KindView, aggregate: ZoneAggregate | undefined): Headline {
  if (!aggregate || aggregate.sensors === 0) return { type: 'nothing' }
  const [figure, wholeFigure] = kind.figures
  if (figure && wholeFigure?.id === WHOLE_FIGURE) {
    const part = aggregate.figures[figure.id] ?? null
    return { type: 'share', part, whole: aggregate.figures[wholeFigure.id] ?? null, figure, wholeFigure }
  }
  const state = findWorstState(kind, aggregate)
  return { type: 'state', state, count: countOf(aggregate, state), common: findCommonState(kind, aggregate) }
}

/** The last state of the legend that somebody is in and that says something; else the one most are in. */
export function findWorstState(kind: KindView, aggregate: ZoneAggregate): StateView {
  const present = kind.states.filter((state) => countOf(aggregate, state) > 0)
  const worst = present.filter((state) => state.id !== UNKNOWN_STATE && !state.noVerdict).at(-1)
  return worst ?? present[0] ?? findState(kind, UNKNOWN_STATE)
}

/** The state that most are in, the better one among equals. */
export function findCommonState(kind: KindView, aggregate: ZoneAggregate): StateView {
  return kind.states.reduce((best, state) =>
    countOf(aggregate, state) > countOf(aggregate, best) ? state : best,
  )
}

function countOf(aggregate: ZoneAggregate, state: StateView): number {
  return aggregate.states[state.id] ?? 0
}

/**
 * What a zone's bar shows: how many sensors stand how, or, where the headline sums up what sensors count (free spaces of
 * garages), that part of the whole. The shares of the latter stay below 1; the rest is no state.
 */
export function toBarShares(kind: KindView, aggregate: ZoneAggregate | undefined): StateShare[] {
  const headline = toHeadline(kind, aggregate)
  const [best] = kind.states
  if (headline.type !== 'share' || headline.figure.metric === undefined || !best)
    return toStateShares(kind, aggregate)
  const { part, whole } = headline
  if (whole === null) return toStateShares(kind, aggregate)
  return part && whole ? [{ state: best, count: part, share: part / whole }] : []
}

export interface FigureText {
  id: string
  title: string
  /** The value with its unit. */
  text: string
}

/** The figures that the headline does not say, in words; those without a value are left out. */
export function toFigureTexts(
  kind: KindView,
  aggregate: ZoneAggregate | undefined,
  { format, language }: { format: Format; language: Language },
): FigureText[] {
  if (!aggregate || aggregate.sensors === 0) return []
  const headline = toHeadline(kind, aggregate)
  const said = headline.type === 'share' ? [headline.figure.id, WHOLE_FIGURE] : [WHOLE_FIGURE]
  return kind.figures
    .filter((figure) => !said.includes(figure.id))
    .flatMap((figure) => {
      const value = aggregate.figures[figure.id]
      if (value === null || value === undefined) return []
      const metric = findMetric(kind, figure.metric)
      const text = metric ? format.metricText(metric, value) : format.number(value)
      // A figure named after its unit says nothing beside it; its metric's name does.
      const named = metric?.symbol === figure.title[language] ? metric : figure
      return [{ id: figure.id, title: named.title[language], text }]
    })
}

/** The kinds that have sensors first, each group in the model's order. */
export function pickKind(kinds: readonly KindView[], city: readonly ZoneAggregate[]): KindView | undefined {
  return kinds.find((kind) => city.some((sum) => sum.kind === kind.id && sum.sensors > 0)) ?? kinds[0]
}
