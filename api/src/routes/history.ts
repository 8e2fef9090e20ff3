import { DAY_MS, formatDuration, toIsoTime, type HistoryBuckets, type HistoryView } from '@pulso/model'
import { Type } from 'typebox'
import { toBucket, toCacheControl } from '../aggregates/buckets.ts'
import { AGGREGATES_QUERY, parseWish, toMetric } from '../aggregates/question.ts'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { badRequest, parseQueryTime } from '../http/query.ts'
import { answerAs, JSON_TYPE, problems, refTo, SensorParams } from './common.ts'
import { findSensor } from './sensors.ts'

const MAX_POINTS = 5_000
const MAX_RANGE_MS = 31 * DAY_MS
const DEFAULT_RANGE_MS = DAY_MS

const Query = Type.Object({
  ...AGGREGATES_QUERY,
  step: Type.Optional(
    Type.String({
      description: 'As measured when absent; else in buckets of 5m, 1h or 1d',
      examples: ['1h'],
    }),
  ),
})

export function historyRoutes(app: App, { options, current, examples }: ApiContext): void {
  const { readings, aggregates, city, clock } = options
  app.get(
    '/api/v1/sensors/:id/history',
    {
      config: { isPublic: true },
      schema: {
        tags: ['sensors'],
        summary: 'What a sensor measured',
        description:
          'Points of one metric as they were measured, oldest first, over at most 31 days. Of more than 5,000 ' +
          'points the newest are given and `truncated` is true. With `step` the answer is in buckets instead, as ' +
          '`/api/v1/aggregates/{kind}` gives them.',
        params: SensorParams,
        querystring: Query,
        response: {
          200: answerAs(JSON_TYPE, {
            description: 'The points, or with `step` the buckets',
            schema: Type.Union([refTo('HistoryView'), refTo('HistoryBuckets')]),
            example: examples.history,
          }),
          ...problems(400, 404, 429, 503),
        },
      },
    },
    async ({ params, query }, reply) => {
      const { sensor, kind } = findSensor(current, params.id)
      if (query.step !== undefined) {
        const { metric, fn, step, fromMs, toMs } = parseWish(kind, query, clock.now())
        const asked = { kind: kind.id, scope: 'sensor', id: sensor.id, metric, resolution: step } as const
        const buckets = await aggregates.aggregates({ ...asked, fromMs, toMs })
        const wanted = { metric, fn, definition: kind.metrics[metric] }
        void reply.header('cache-control', toCacheControl(buckets, clock.now()))
        return {
          sensor: sensor.id,
          metric,
          step,
          fn,
          timeZone: city.timeZone,
          buckets: buckets.map((bucket) => toBucket(bucket, wanted)),
        } satisfies HistoryBuckets
      }
      if (query.fn !== undefined)
        throw badRequest('conflicting-parameters', "'fn' needs a 'step' to go with it")
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
      } satisfies HistoryView
    },
  )
}

/** @throws AppError `invalid-time`, `invalid-range`, `range-too-long` (400) */
function toRange(
  { from, to }: { from?: string; to?: string },
  nowMs: number,
): { fromMs: number; toMs: number } {
  const toMs = parseQueryTime('to', to, nowMs)
  const fromMs = parseQueryTime('from', from, toMs - DEFAULT_RANGE_MS)
  if (fromMs > toMs) throw badRequest('invalid-range', "'from' must not be later than 'to'")
  if (toMs - fromMs > MAX_RANGE_MS)
    throw badRequest('range-too-long', `The range must not be longer than ${formatDuration(MAX_RANGE_MS)}`)
  return { fromMs, toMs }
}
