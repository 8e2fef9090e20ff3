import { AppError, clip, DAY_MS, formatDuration, HOUR_MS, toIsoTime, type Kind } from '@pulso/model'
import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import { isPublic } from '../current/features.ts'
import type { App } from '../http/app.ts'
import { badRequest, parseQueryTime } from '../http/query.ts'
import { answer, problems, SensorParams } from './common.ts'
import { EXAMPLE_MS } from './examples.ts'
import { findSensor } from './sensors.ts'

const MAX_POINTS = 5_000
const MAX_RANGE_MS = 31 * DAY_MS
const DEFAULT_RANGE_MS = DAY_MS

const Query = Type.Object({
  metric: Type.Optional(Type.String({ description: 'The kind’s first metric when absent' })),
  from: Type.Optional(
    Type.String({
      description: 'ISO 8601 with a zone; a day before `to` when absent',
      examples: [toIsoTime(EXAMPLE_MS - HOUR_MS)],
    }),
  ),
  to: Type.Optional(
    Type.String({ description: 'ISO 8601 with a zone; now when absent', examples: [toIsoTime(EXAMPLE_MS)] }),
  ),
  step: Type.Optional(Type.String({ description: 'Not offered yet: points are as they were measured' })),
})

export function historyRoutes(app: App, { options, current, examples }: ApiContext): void {
  const { readings, clock } = options
  app.get(
    '/api/v1/sensors/:id/history',
    {
      config: { isPublic: true },
      schema: {
        tags: ['sensors'],
        summary: 'What a sensor measured',
        description:
          'Points of one metric as they were measured, oldest first, over at most 31 days. Of more than 5,000 ' +
          'points the newest are given and `truncated` is true.',
        params: SensorParams,
        querystring: Query,
        response: {
          200: answer('HistoryView', { description: 'The points', example: examples.history }),
          ...problems(400, 404, 429, 503),
        },
      },
    },
    async ({ params, query }) => {
      const { sensor, kind } = findSensor(current, params.id)
      const metric = toMetric(kind, query.metric)
      const { fromMs, toMs } = toRange(query, clock.now())
      const { points, truncated } = await readings.history({
        kind: kind.id,
        sensorId: sensor.id,
        metric,
        fromMs,
        toMs,
        limit: MAX_POINTS,
      })
      return {
        sensor: sensor.id,
        metric,
        from: toIsoTime(fromMs),
        to: toIsoTime(toMs),
        points: points.map(({ timeMs, value }) => ({ time: toIsoTime(timeMs), value })),
        truncated,
      }
    },
  )
}

/** @throws AppError `unknown-metric` (400) */
function toMetric(kind: Kind, wanted: string | undefined): string {
  const names = Object.keys(kind.metrics).filter((name) => isPublic(kind, name))
  const metric = wanted ?? kind.headlineMetric ?? names[0]
  if (metric !== undefined && names.includes(metric)) return metric
  throw badRequest(
    'unknown-metric',
    `'${clip(metric ?? '')}' is no metric of a ${kind.title.en.toLowerCase()}; there are ${names.join(', ')}`,
  )
}

/** @throws AppError `invalid-time`, `invalid-range`, `range-too-long`, `unsupported-step` (400) */
function toRange(
  { from, to, step }: { from?: string; to?: string; step?: string },
  nowMs: number,
): { fromMs: number; toMs: number } {
  if (step !== undefined)
    throw new AppError(
      'unsupported-step',
      "'step' is not offered yet; leave it out for the points as measured",
      {
        status: 400,
      },
    )
  const toMs = parseQueryTime('to', to, nowMs)
  const fromMs = parseQueryTime('from', from, toMs - DEFAULT_RANGE_MS)
  if (fromMs > toMs) throw badRequest('invalid-range', "'from' must not be later than 'to'")
  if (toMs - fromMs > MAX_RANGE_MS)
    throw badRequest('range-too-long', `The range must not be longer than ${formatDuration(MAX_RANGE_MS)}`)
  return { fromMs, toMs }
}
