import { AppError, type Kind, type Kinds, type Metric } from '@pulso/model'

/** @throws AppError `unknown-kind` (404): names of kinds become names in queries, so only known ones get there */
export function requireKind(kinds: Kinds, id: string): Kind {
  const kind = kinds.get(id)
  if (!kind) throw new AppError('unknown-kind', `There is no kind '${id}'`, { status: 404 })
  return kind
}

/** @throws AppError `unknown-metric` (404) */
export function requireMetric(kind: Kind, name: string): Metric {
  const metric = Object.hasOwn(kind.metrics, name) ? kind.metrics[name] : undefined
  if (!metric)
    throw new AppError('unknown-metric', `The kind '${kind.id}' has no metric '${name}'`, { status: 404 })
  return metric
}
