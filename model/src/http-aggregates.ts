import { Type, type Static } from 'typebox'
import { RESOLUTIONS } from './rollup.ts'

/** What can be asked of a bucket. `increase` is of counters: how much was added in it. */
export const AGGREGATE_FUNCTIONS = ['count', 'min', 'max', 'mean', 'last', 'share', 'increase'] as const
export type AggregateFunction = (typeof AGGREGATE_FUNCTIONS)[number]

const BucketTimes = {
  from: Type.String({ format: 'date-time' }),
  to: Type.String({ format: 'date-time', description: 'Its end, excluded' }),
}
const Share = Type.Number({ minimum: 0, maximum: 1 })

export const ValueBucket = Type.Object({
  ...BucketTimes,
  value: Type.Union([Type.Number(), Type.String(), Type.Null()], {
    description: 'Null where nothing is known',
  }),
})
export type ValueBucket = Static<typeof ValueBucket>

export const ShareBucket = Type.Object({
  ...BucketTimes,
  shares: Type.Union([Type.Record(Type.String(), Share), Type.Null()], {
    description: 'Of the time that the sensors were there, by state; null without any',
  }),
  hours: Type.Union([Type.Record(Type.String(), Type.Number()), Type.Null()], {
    description: 'How long sensors were in the state, added up',
  }),
  unknown: Type.Union([Share, Type.Null()], {
    description: 'The share of the time in which it was not known',
  }),
})
export type ShareBucket = Static<typeof ShareBucket>

const Buckets = {
  metric: Type.String(),
  step: Type.Enum([...RESOLUTIONS]),
  fn: Type.Enum([...AGGREGATE_FUNCTIONS]),
  timeZone: Type.String({ description: 'Whose days and hours they are' }),
  buckets: Type.Array(Type.Union([ValueBucket, ShareBucket]), {
    description: 'Oldest first, without gaps; the last one may still run',
  }),
}

export const AggregatesView = Type.Object({
  kind: Type.String(),
  zone: Type.Union([Type.String(), Type.Null()], { description: 'Null for the whole city' }),
  ...Buckets,
})
export type AggregatesView = Static<typeof AggregatesView>

/** A sensor's history in steps. */
export const HistoryBuckets = Type.Object({ sensor: Type.String(), ...Buckets })
export type HistoryBuckets = Static<typeof HistoryBuckets>
