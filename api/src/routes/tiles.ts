import { SECOND_MS, type City, type Kinds, type TileJson } from '@pulso/model'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { toBaseUrl } from '../http/base-url.ts'
import { badRequest, parseKinds } from '../http/query.ts'
import {
  createSensorTiles,
  MAX_TILE_SENSORS,
  SENSORS_MIN_ZOOM,
  TILES_MAX_ZOOM,
  ZONES_MAX_ZOOM,
  type SensorTile,
} from '../tiles/sensor-tiles.ts'
import { answer, answerAs, kindParameter, problems } from './common.ts'

const TILE_TYPE = 'application/vnd.mapbox-vector-tile'
const TILE_PATH = '/tiles/sensors/{z}/{x}/{y}.mvt'

export function tilesRoutes(app: App, { options: { city, kinds, clock }, current }: ApiContext): void {
  const tiles = createSensorTiles({ current, zones: city.zones, clock })
  const Query = Type.Object({
    kind: Type.Optional(kindParameter(kinds)),
    state: Type.Optional(
      Type.Boolean({
        description: 'Single sensors carry `state` and `freshness`; such tiles hold for five seconds only',
        examples: [false],
      }),
    ),
  })

  app.get(
    '/tiles/sensors/:z/:x/:y.mvt',
    {
      config: { isPublic: true },
      schema: {
        tags: ['tiles'],
        summary: 'The placed sensors as vector tiles',
        description:
          `Up to zoom ${ZONES_MAX_ZOOM} the layer \`zones\` has each zone’s sums of each kind at its label, and ` +
          '`clusters` the sensors outside every zone. From there on `clusters` has the sensors of a kind in a cell of ' +
          'about 64 pixels. Both count `sensors`, those in each state (`state_free`, …) and by freshness, so that what ' +
          `is inside a cluster is seen. From zoom ${SENSORS_MIN_ZOOM} on \`sensors\` has each sensor, in one tile ` +
          `alone, unless there are more than ${MAX_TILE_SENSORS} in the tile. Their numeric ids outlast restarts and ` +
          'moves; how they stand comes from /api/v1/live by `id`, or with `state=true`. A tile with nothing in it is 204.',
        params: Type.Object({
          z: tileParameter(`Zoom, 0 to ${TILES_MAX_ZOOM}`, 13),
          x: tileParameter('Column from the west', 4008),
          y: tileParameter('Row from the north', 2997),
        }),
        querystring: Query,
        response: {
          200: answerAs(TILE_TYPE, {
            schema: Type.String({ contentMediaType: TILE_TYPE }),
            description: 'A Mapbox Vector Tile 2.1 of 4096 units',
            example: 'bytes',
          }),
          204: Type.Null({ description: 'Nothing in this tile' }),
          ...problems(400, 429),
        },
      },
    },
    async (request, reply) => {
      const { params, query } = request
      checkTile(params)
      const wanted = parseKinds(query.kind, kinds)
      const withState = query.state ?? false
      const tile = await tiles.get({ ...params, withState, ...(wanted && { kinds: wanted }) })
      return sendTile(tile, { request, reply })
    },
  )

  app.get(
    '/tiles/sensors.json',
    {
      config: { isPublic: true },
      schema: {
        tags: ['tiles'],
        summary: 'Where the tiles are and what is in them, as TileJSON',
        description: 'For maps that take the address of a TileJSON as their source, like MapLibre and QGIS.',
        response: {
          200: answer('TileJson', {
            description: 'TileJSON 3.0',
            example: toTileJson({ city, kinds, baseUrl: 'https://city.example' }),
          }),
          ...problems(429),
        },
      },
    },
    (request) => toTileJson({ city, kinds, baseUrl: toBaseUrl(request) }),
  )
}

function tileParameter(description: string, example: number) {
  return Type.Integer({ description, examples: [example] })
}

/** @throws AppError `invalid-tile` (400) */
function checkTile({ z, x, y }: { z: number; x: number; y: number }): void {
  if (z < 0 || z > TILES_MAX_ZOOM)
    throw badRequest(
      'invalid-tile',
      `Tiles go from zoom 0 to ${TILES_MAX_ZOOM}; stretch the last ones beyond`,
    )
  const last = 2 ** z - 1
  if (x < 0 || y < 0 || x > last || y > last)
    throw badRequest('invalid-tile', `At zoom ${z} columns and rows go from 0 to ${last}`)
}

function sendTile(
  tile: SensorTile | undefined,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
): FastifyReply {
  const maxAgeS = Math.floor((tile?.maxAgeMs ?? EMPTY_MAX_AGE_MS) / SECOND_MS)
  void reply.header('cache-control', `public, max-age=${maxAgeS}`)
  if (!tile) return reply.code(204).send()
  void reply.type(TILE_TYPE).header('vary', 'accept-encoding')
  // Packed once for everybody, when the tile is built.
  if (!acceptsGzip(request.headers['accept-encoding'])) return reply.send(tile.plain)
  return reply.header('content-encoding', 'gzip').send(tile.gzipped)
}

/** A sensor may be placed there, as in any other tile. */
const EMPTY_MAX_AGE_MS = 5 * SECOND_MS

function acceptsGzip(header: string | undefined): boolean {
  return /(?:^|[\s,])(?:gzip|\*)\s*(?:$|,|;\s*q=(?:1|0\.\d*[1-9]))/.test(header ?? '')
}

function toTileJson({ city, kinds, baseUrl }: { city: City; kinds: Kinds; baseUrl: string }): TileJson {
  const states = [...new Set([...kinds.values()].flatMap((kind) => kind.states.map(({ id }) => id)))]
  const counts = {
    kind: 'Kind of the sensors',
    sensors: 'How many',
    ...Object.fromEntries(states.map((id) => [`state_${id}`, `How many are ${id}`])),
    fresh: 'How many report as they should',
    stale: 'How many are late',
    offline: 'How many are silent',
  }
  return {
    tilejson: '3.0.0',
    name: `Sensors of ${city.name}`,
    ...(city.attribution !== undefined && { attribution: city.attribution }),
    tiles: [`${baseUrl}${TILE_PATH}`],
    minzoom: 0,
    maxzoom: TILES_MAX_ZOOM,
    bounds: [...city.bounds],
    vector_layers: [
      {
        id: 'zones',
        description: 'Each zone’s sums of each kind, at its label',
        minzoom: 0,
        maxzoom: ZONES_MAX_ZOOM,
        fields: { zone: 'Zone', name: 'Name of the zone', ...counts },
      },
      {
        id: 'clusters',
        description: 'Sensors of a kind close together',
        minzoom: 0,
        maxzoom: TILES_MAX_ZOOM,
        fields: counts,
      },
      {
        id: 'sensors',
        description: 'Single sensors',
        minzoom: SENSORS_MIN_ZOOM,
        maxzoom: TILES_MAX_ZOOM,
        fields: { id: 'Id, as in the live feed', kind: 'Kind', zone: 'Zone' },
      },
    ],
  }
}
