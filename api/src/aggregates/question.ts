import {
  clip,
  DAY_MS,
  formatDuration,
  HOUR_MS,
  RESOLUTIONS,
  toIsoTime,
  type AggregateFunction,
  type Kind,
  type Metric,
  type Resolution,
} from '@pulso/model'
import { AGGREGATE_FUNCTIONS } from '@pulso/model/schemas'
import { Type } from 'typebox'
import { isPublic } from '../current/features.ts'
import { badRequest, parseQueryTime } from '../http/query.ts'
import { EXAMPLE_MS } from '../routes/examples.ts'

/** The longest time that may be asked for in each step, and the one that is meant when nothing is said. */
const RANGES: Readonly<Record<Resolution, { mostMs: number; defaultMs: number }>> = {
  '5m': { mostMs: 14 * DAY_MS, defaultMs: DAY_MS },
  '1h': { mostMs: 200 * DAY_MS, defaultMs: 7 * DAY_MS },
  '1d': { mostMs: 1_830 * DAY_MS, defaultMs: 31 * DAY_MS },
}
const DEFAULT_STEP = '1h'

export const AGGREGATES_QUERY = {
  metric: Type.Optional(Type.String({ description: 'The kind’s first metric when absent' })),
  from: Type.Optional(
    Type.String({
      description: 'ISO 8601 with a zone; a time before `to` that suits the step when absent',
      examples: [toIsoTime(EXAMPLE_MS - 6 * HOUR_MS)],
    }),
  ),
  to: Type.Optional(
    Type.String({ description: 'ISO 8601 with a zone; now when absent', examples: [toIsoTime(EXAMPLE_MS)] }),
  ),
  step: Type.Optional(Type.String({ description: RESOLUTIONS.join(', '), examples: [DEFAULT_STEP] })),
  fn: Type.Optional(
    Type.String({
      description: `${AGGREGATE_FUNCTIONS.join(', ')}; when absent what suits the metric`,
    }),
  ),
}

export interface AggregatesWish {
  metric?: string
  from?: string
  to?: string
  step?: string
  fn?: string
}

export interface ParsedWish {
  metric: string
  fn: AggregateFunction
  step: Resolution
  fromMs: number
  toMs: number
}

/**
 * @throws AppError `unknown-metric`, `unknown-step`, `unknown-function`, `function-not-for-metric`, `invalid-time`,
 * `invalid-range`, `range-too-long` (400)
 */
export function parseWish(kind: Kind, wish: AggregatesWish, nowMs: number): ParsedWish {
  const metric = toMetric(kind, wish.metric)
  const step = toStep(wish.step)
  const fn = toFunction(kind.metrics[metric], { metric, wanted: wish.fn })
  const { mostMs, defaultMs } = RANGES[step]
  const toMs = parseQueryTime('to', wish.to, nowMs)
  const fromMs = parseQueryTime('from', wish.from, toMs - defaultMs)
  if (fromMs > toMs) throw badRequest('invalid-range', "'from' must not be later than 'to'")
  if (toMs - fromMs > mostMs)
    throw badRequest(
      'range-too-long',
      `In steps of ${step} the range must not be longer than ${formatDuration(mostMs)}`,
    )
  return { metric, fn, step, fromMs, toMs }
}

/** @throws AppError `unknown-metric` (400) */
export function toMetric(kind: Kind, wanted: string | undefined): string {
  const names = Object.keys(kind.metrics).filter((name) => isPublic(kind, name))
  const metric = wanted ?? kind.headlineMetric ?? names[0]
  if (metric !== undefined && names.includes(metric)) return metric
  throw badRequest(
    'unknown-metric',
    `'${clip(metric ?? '')}' is no metric of a ${kind.title.en.toLowerCase()}; there are ${names.join(', ')}`,
  )
}

function toStep(wanted = DEFAULT_STEP): Resolution {
  const step = RESOLUTIONS.find((name) => name === wanted)
  if (step) return step
  throw badRequest('unknown-step', `There is no step '${clip(wanted)}'; there are ${RESOLUTIONS.join(', ')}`)
}

function toFunction(
  metric: Metric | undefined,
  { metric: name, wanted }: { metric: string; wanted: string | undefined },
): AggregateFunction {
  const possible = functionsOf(metric)
  const fn = AGGREGATE_FUNCTIONS.find((each) => each === (wanted ?? possible[0]))
  if (!fn)
    throw badRequest(
      'unknown-function',
      `There is no function '${clip(wanted ?? '')}'; there are ${AGGREGATE_FUNCTIONS.join(', ')}`,
    )
  if (possible.includes(fn)) return fn
  throw badRequest('function-not-for-metric', `'${name}' has no ${fn}; it has ${possible.join(', ')}`)
}

/** What suits it best comes first. */
function functionsOf(metric: Metric | undefined): AggregateFunction[] {
  if (metric?.type === 'state') return ['share', 'count', 'last']
  if (metric?.rollup === 'counter') return ['increase', 'count', 'min', 'max', 'mean', 'last']
  if (metric?.rollup === 'last') return ['last', 'count', 'min', 'max', 'mean']
  return ['mean', 'count', 'min', 'max', 'last']
}
