/** The shapes of the answers to "where is one free?". */
import { Type, type Static } from 'typebox'
import { NO_FORECAST_REASONS } from './forecast.ts'
import { FRESHNESS } from './freshness.ts'

const IsoTime = Type.String({ format: 'date-time', description: 'ISO 8601 in UTC' })
const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])

const PositionView = Type.Object({ lat: Type.Number(), lon: Type.Number() })

export const ForecastView = Type.Object({
  at: IsoTime,
  free: Type.Integer({ description: 'Spaces expected to be free then' }),
  low: Type.Integer({ description: 'Of ten such forecasts, eight were between low and high' }),
  high: Type.Integer(),
  basis: Type.Object({
    weeks: Type.Number({ description: 'How much history it was learnt from' }),
    n: Type.Integer({ description: 'How many days it takes for usual at that time of the week' }),
    error: Type.Number({
      description: 'Mean absolute error in spaces, on known days left out one by one, for this long ahead',
    }),
    errorAsNow: Type.Number({ description: 'The same error of "it stays as it is now"' }),
  }),
})
export type ForecastView = Static<typeof ForecastView>

export const NearestPlace = Type.Object({
  kind: Type.String(),
  sensor: Nullable(Type.String({ description: 'The place itself, where one sensor counts all its spaces' })),
  zone: Nullable(Type.String()),
  name: Nullable(Type.String()),
  state: Nullable(Type.String({ description: 'Of a sensor, one of its kind’s states' })),
  free: Nullable(Type.Integer({ description: 'null: unknown, which is never free' })),
  total: Nullable(Type.Integer()),
  unknown: Type.Integer({ description: 'Sensors of the place that say nothing that holds' }),
  freshness: Type.Enum([...FRESHNESS], { description: 'Of a zone: of most of its sensors that are known' }),
  sensors: Type.Object({ fresh: Type.Integer(), stale: Type.Integer(), offline: Type.Integer() }),
  time: Nullable(IsoTime),
  ageS: Nullable(Type.Integer({ description: 'Seconds since the newest reading' })),
  trend: Nullable(
    Type.Enum(['rising', 'steady', 'falling'], {
      description: 'Free spaces against 15 to 30 minutes ago; null until that is known',
    }),
  ),
  distanceM: Type.Integer({ description: 'Great circle, in metres' }),
  walkS: Type.Integer({ description: 'Seconds on foot, see `walking`' }),
  position: PositionView,
  measuredTo: Type.Enum(['place', 'nearest-free', 'nearest'], {
    description:
      'What `position` and the distance are of: the place’s own position, its nearest free space, or its nearest space',
  }),
  forecast: Type.Optional(Nullable(ForecastView)),
  noForecast: Type.Optional(
    Type.Enum([...NO_FORECAST_REASONS], { description: 'Why there is no forecast, where one was asked for' }),
  ),
})
export type NearestPlace = Static<typeof NearestPlace>

/** Why a list is empty. */
export const NEAREST_NOTES = ['far-away', 'nothing-free', 'no-places'] as const

export const NearestView = Type.Object({
  time: IsoTime,
  from: PositionView,
  /** The arrival that was asked about. */
  at: Nullable(IsoTime),
  walking: Type.Object({
    detourFactor: Type.Number({ description: 'Streets are longer than the great circle' }),
    metresPerSecond: Type.Number(),
  }),
  places: Type.Array(NearestPlace),
  note: Nullable(
    Type.Object(
      { code: Type.Enum([...NEAREST_NOTES]), text: Type.String() },
      {
        description: 'Why the list is empty',
      },
    ),
  ),
})
export type NearestView = Static<typeof NearestView>
