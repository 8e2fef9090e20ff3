import { AppError, clip, type City, type ParkApiCity, type ParkApiIndex } from '@pulso/model'
import { ParkApiCity as ParkApiCitySchema, ParkApiIndex as ParkApiIndexSchema } from '@pulso/model/schemas'
import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { toBaseUrl } from '../http/base-url.ts'
import { toParkApiCity } from '../standards/park-api.ts'
import { answerAs, JSON_TYPE, problems } from './common.ts'

/** Of the shape that is spoken here. */
const VERSION = '1.0'
const REFERENCE = 'https://github.com/offenesdresden/ParkAPI'

export function parkapiRoutes(app: App, { options: { city, clock }, current }: ApiContext): void {
  const id = toCityId(city)
  const example = toExample(city)
  const read = (baseUrl: string): ParkApiCity =>
    toParkApiCity({ current, city, nowMs: clock.now(), source: `${baseUrl}/` })
  const toIndex = (lots: ParkApiCity): ParkApiIndex => ({
    api_version: VERSION,
    server_version: VERSION,
    reference: REFERENCE,
    cities: { [id]: city.name },
    ...lots,
  })

  app.get(
    '/parkapi/v1',
    {
      config: { isPublic: true },
      schema: {
        tags: ['standards'],
        summary: 'Car parks and on-street parking in the shape of ParkAPI',
        description:
          'The list of cities, of which a Pulso has one, and that city’s lots. A lot whose newest figure is not fresh ' +
          'is `nodata`, and its `free` means nothing. Single bays are summed up by zone.',
        response: {
          200: answerAs(JSON_TYPE, {
            schema: ParkApiIndexSchema,
            description: 'The city and its lots',
            example: toIndex(example),
          }),
          ...problems(429),
        },
      },
    },
    (request) => toIndex(read(toBaseUrl(request))),
  )

  app.get(
    '/parkapi/v1/:city',
    {
      config: { isPublic: true },
      schema: {
        tags: ['standards'],
        summary: 'One city’s parking in the shape of ParkAPI',
        description: 'As a server of ParkAPI answers for a city; times are in UTC without saying so.',
        params: Type.Object({
          city: Type.String({ maxLength: 100, description: 'The city’s id or name', examples: [id] }),
        }),
        response: {
          200: answerAs(JSON_TYPE, { schema: ParkApiCitySchema, description: 'The lots', example }),
          ...problems(404, 429),
        },
      },
    },
    (request) => {
      const asked = request.params.city.toLowerCase()
      if (asked !== id && asked !== city.name.toLowerCase())
        throw new AppError(
          'unknown-city',
          `There is no city '${clip(request.params.city)}' here, only '${id}'`,
          {
            status: 404,
          },
        )
      return read(toBaseUrl(request))
    },
  )
}

/** The city's name as an address has it: `Gijón` is `gijon`. */
function toCityId({ name }: City): string {
  const plain = name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
  return plain.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'city'
}

function toExample({ bounds: [west, south, east, north] }: City): ParkApiCity {
  return {
    last_updated: '2026-05-31T10:00:00',
    last_downloaded: '2026-05-31T10:00:04',
    data_source: 'https://city.example/',
    lots: [
      {
        id: 'garage-1',
        name: 'Plaza Mayor',
        coords: { lat: (south + north) / 2, lng: (west + east) / 2 },
        total: 300,
        free: 120,
        state: 'open',
        forecast: false,
      },
    ],
  }
}
