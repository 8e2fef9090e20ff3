import { type ForecastAnswer, type NearestView } from '@pulso/model'
import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { toNearestJson, toNote } from '../places/answer.ts'
import type { Near } from '../places/grid.ts'
import { createNearestExample } from '../places/example.ts'
import { tallyOf } from '../places/place.ts'
import type { PlacesQuestion } from '../places/places.ts'
import { parseArrival, parseAttributes, parsePlaceKinds, parsePosition } from '../places/question.ts'
import { toTrend } from '../places/trend.ts'
import { answer, JSON_TYPE, kindParameter, limitParameter, problems } from './common.ts'
import { EXAMPLE_MS } from './examples.ts'

const MAX_PLACES = 50
const DEFAULT_PLACES = 5
const MAX_MINUTES = 120

export function parkingRoutes(app: App, context: ApiContext): void {
  const { options, places } = context
  const { city, kinds, clock } = options
  app.get(
    '/api/v1/parking/nearest',
    {
      config: { isPublic: true },
      // Two kilobytes: packing them costs more than it saves.
      compress: false,
      schema: {
        tags: ['places'],
        summary: 'Where something is free near a point, now and at arrival',
        description: DESCRIPTION,
        querystring: toQuery(options),
        response: {
          200: answer('NearestView', {
            description: 'Places, the nearest first',
            example: createNearestExample(options),
          }),
          ...problems(400, 429),
        },
      },
    },
    ({ query }, reply) => {
      const nowMs = clock.now()
      const attributes = parseAttributes(query.attribute)
      const question: PlacesQuestion = {
        from: parsePosition(query, city),
        limit: query.limit ?? DEFAULT_PLACES,
        kinds: parsePlaceKinds(query.kind, kinds),
        attributes,
        includeFull: query.includeFull ?? false,
      }
      const atMs = parseArrival(query, nowMs)
      const found = places.find(question)
      const note = found.length === 0 ? explain(context, question) : null
      const answered = found.map((near) => ({
        near,
        trend: trendOf(context, { near, attributes, nowMs }),
        forecast: atMs === null ? undefined : forecastOf(context, { near, attributes, nowMs, atMs }),
      }))
      const body = toNearestJson({ nowMs, from: question.from, atMs, places: answered, note })
      return reply.type(JSON_TYPE).send(body)
    },
  )
}

const DESCRIPTION = `Places that count their own spaces (\`measuredTo\`: \`place\`, the position of its entrance or sign) and zones
of single spaces (\`nearest-free\`: the distance is that to the zone's nearest free one), within 5 km. Free ones come first, by
distance; then those whose numbers are \`stale\`. Full and unknown places are left out unless \`includeFull\`, and come
last; an unknown space is never counted as free. \`walkS\` is the great circle times \`walking.detourFactor\`, at
\`walking.metresPerSecond\`.

With \`in\` or \`at\` each place has a forecast for the arrival, learnt from its own last weeks by weekday and quarter of an
hour in the city's time zone and from what is free now (holidays are not known: they count as the weekday they fall on).
It is shown only where it was better than "as it is now" on the place's own past; otherwise \`forecast\` is null and
\`noForecast\` says why.`

function toQuery({ city, kinds }: ApiContext['options']) {
  const [west, south, east, north] = city.bounds
  const withPlaces = new Map([...kinds].filter(([, { availability }]) => availability))
  return Type.Object({
    lat: Type.Number({
      description: 'Latitude of where one is or goes, WGS 84, -90 to 90',
      examples: [(south + north) / 2],
    }),
    lon: Type.Number({ description: 'Longitude, -180 to 180', examples: [(west + east) / 2] }),
    limit: Type.Optional(limitParameter({ maximum: MAX_PLACES, default: DEFAULT_PLACES })),
    kind: Type.Optional(kindParameter(withPlaces)),
    in: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_MINUTES,
        description: 'Arrival in so many minutes, like 15, 30 or 60',
        examples: [30],
      }),
    ),
    at: Type.Optional(
      Type.String({
        maxLength: 40,
        description: `Arrival, ISO 8601 with a zone, at most ${MAX_MINUTES} minutes ahead; instead of \`in\``,
        examples: [new Date(EXAMPLE_MS).toISOString()],
      }),
    ),
    attribute: Type.Optional(
      Type.String({
        maxLength: 400,
        description:
          'Only sensors with all of these attributes, name:value with commas, as they were registered',
        examples: ['accessible:true'],
      }),
    ),
    includeFull: Type.Optional(
      Type.Boolean({ description: 'Also where nothing is free or nobody knows', examples: [false] }),
    ),
  })
}

function explain({ places, options }: ApiContext, question: PlacesQuestion): NearestView['note'] {
  return toNote(question.from, {
    bounds: options.city.bounds,
    hasPlaces: places.list(question.attributes).some(({ kind }) => question.kinds?.has(kind.id) ?? true),
    hasFullOnes:
      !question.includeFull && places.find({ ...question, limit: 1, includeFull: true }).length > 0,
  })
}

interface Asked {
  near: Near
  attributes: PlacesQuestion['attributes']
  nowMs: number
}

/** Of a part of a zone nothing is noted. */
function isPart({ near: { place }, attributes }: Asked): boolean {
  return attributes.length > 0 && place.sensorId === null
}

function trendOf({ places }: ApiContext, asked: Asked) {
  if (isPart(asked)) return null
  const { place } = asked.near
  const { free, total } = tallyOf(place)
  return toTrend(places.samplesOf(place.key), { free, total, nowMs: asked.nowMs })
}

function forecastOf({ forecasts }: ApiContext, asked: Asked & { atMs: number }): ForecastAnswer {
  if (isPart(asked)) return { forecast: null, reason: 'filtered' }
  return forecasts.forecast(asked.near.place, asked)
}
