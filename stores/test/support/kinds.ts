import { defineKind, toKinds, type Kind, type Kinds, type Metric } from '@pulso/model'

const LEVEL: Metric = {
  type: 'number',
  title: { en: 'Level', es: 'Nivel', fr: 'Niveau' },
  unit: '1',
  min: 0,
  max: 1e9,
  decimals: 1,
  rollup: 'mean',
}
const LID: Metric = {
  type: 'state',
  title: { en: 'Lid', es: 'Tapa', fr: 'Couvercle' },
  values: ['open', 'shut'],
  rollup: 'share',
}

/** Made-up kinds. One is named after words of query languages, which a driver must quote. */
export function createKinds(extraMetrics: Readonly<Record<string, Metric>> = {}): Kinds {
  return toKinds([
    createKind('bin', { level: LEVEL, lid: LID, ...extraMetrics }),
    createKind('order', { select: LEVEL, group: LID }),
  ])
}

export { LEVEL, LID }

function createKind(id: string, metrics: Readonly<Record<string, Metric>>): Kind {
  const title = { en: id, es: id, fr: id }
  return defineKind({
    id,
    title,
    plural: title,
    metrics,
    intervalMs: 60_000,
    staleAfterIntervals: 2,
    offlineAfterIntervals: 4,
    states: [{ id: 'unknown', title, colour: '#888888', symbol: '?' }],
    toState: () => 'unknown',
    figures: [],
    order: 1,
    example: {},
    entity: { type: 'WasteContainer' },
  })
}
