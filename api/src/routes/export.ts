import {
  AppError,
  clip,
  DAY_MS,
  formatDuration,
  HOUR_MS,
  toIsoTime,
  type City,
  type Kinds,
} from '@pulso/model'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import { createDownloads } from '../export/downloads.ts'
import { createExportExamples } from '../export/examples.ts'
import { COMPRESSIBLE_EXPORTS, EXPORT_FORMATS, isExportFormat, type ExportFormat } from '../export/formats.ts'
import type { App } from '../http/app.ts'
import { badRequest, parseQueryTime } from '../http/query.ts'
import { problems } from './common.ts'
import { EXAMPLE_MS } from './examples.ts'

const DEFAULT_RANGE_MS = DAY_MS
const MAX_RANGE_MS = 92 * DAY_MS
const PATH = '/api/v1/export/:kind.:format'

const Query = Type.Object({
  from: Type.Optional(
    Type.String({
      description: 'ISO 8601 with a zone, included; a day before `to` when absent',
      examples: [toIsoTime(EXAMPLE_MS - HOUR_MS)],
    }),
  ),
  to: Type.Optional(
    Type.String({
      description: 'ISO 8601 with a zone, not included; now when absent',
      examples: [toIsoTime(EXAMPLE_MS)],
    }),
  ),
})

/** What is asked for, checked. */
interface Wanted {
  kind: string
  format: ExportFormat
  fromMs: number
  toMs: number
}

type ExportRequest = FastifyRequest<{
  Params: { kind: string; format: string }
  Querystring: { from?: string; to?: string }
}>

/** Open data: every public reading of a kind and a period, as a file. */
export function exportRoutes(app: App, context: ApiContext): void {
  const { city, kinds, clock } = context.options
  const downloads = createDownloads(context)
  const Params = Type.Object({
    kind: Type.String({ description: 'A kind by id', examples: [...kinds.keys()].slice(0, 1) }),
    format: Type.String({
      description: `One of ${Object.keys(EXPORT_FORMATS).join(', ')}`,
      examples: ['csv'],
    }),
  })
  const config = { isPublic: true, isStream: true, cacheControl: 'no-store' }

  const prepare = ({ params, query }: ExportRequest, reply: FastifyReply): Wanted => {
    const wanted = { ...toWhat(params, kinds), ...toRange(query, clock.now()) }
    void reply
      .type(EXPORT_FORMATS[wanted.format])
      .header('content-disposition', `attachment; filename="${toFileName(city, wanted)}"`)
    return wanted
  }

  app.head(PATH, { config, schema: { params: Params, querystring: Query, hide: true } }, (request, reply) => {
    prepare(request, reply)
    return reply.send()
  })
  app.get(
    PATH,
    {
      config,
      exposeHeadRoute: false,
      // Brotli would cost the server more time than it saves the reader.
      compress: { encodings: ['gzip', 'identity'], customTypes: COMPRESSIBLE_EXPORTS },
      schema: {
        tags: ['open data'],
        summary: 'All readings of a kind and a period, as a file',
        description:
          `CSV (RFC 4180 with a header), JSON Lines, GeoJSON (a point per reading, where its sensor is today) or ` +
          `Parquet, ordered by time and sensor, with the public metrics. At most ${formatDuration(MAX_RANGE_MS)} in ` +
          'one file; `to` is not included, so that files of periods that follow each other neither double nor miss a ' +
          'reading. A cell of text in CSV that begins with `=`, `+`, `-` or `@` has an apostrophe in front. Late ' +
          'readings still come into past periods. A file that could not be finished ends as a broken transfer.',
        params: Params,
        querystring: Query,
        response: { 200: toAnswer(kinds), ...problems(400, 404, 429, 503) },
      },
    },
    async (request, reply) => downloads.send(prepare(request, reply), { request, reply }),
  )
}

/** @throws AppError `unknown-kind`, `unknown-format` (404) */
function toWhat(
  { kind, format }: { kind: string; format: string },
  kinds: Kinds,
): Pick<Wanted, 'kind' | 'format'> {
  if (!kinds.has(kind))
    throw new AppError(
      'unknown-kind',
      `There is no kind '${clip(kind)}' here; there are ${[...kinds.keys()].join(', ')}`,
      { status: 404 },
    )
  if (isExportFormat(format)) return { kind, format }
  throw new AppError(
    'unknown-format',
    `There is no format '${clip(format)}'; there are ${Object.keys(EXPORT_FORMATS).join(', ')}`,
    { status: 404 },
  )
}

/** @throws AppError `invalid-time`, `invalid-range`, `range-too-long` (400) */
function toRange(
  { from, to }: { from?: string; to?: string },
  nowMs: number,
): Pick<Wanted, 'fromMs' | 'toMs'> {
  const toMs = parseQueryTime('to', to, nowMs)
  const fromMs = parseQueryTime('from', from, toMs - DEFAULT_RANGE_MS)
  if (fromMs > toMs) throw badRequest('invalid-range', "'from' must not be later than 'to'")
  if (toMs - fromMs > MAX_RANGE_MS)
    throw badRequest(
      'range-too-long',
      `One file holds at most ${formatDuration(MAX_RANGE_MS)}: ask for the rest in further files`,
    )
  return { fromMs, toMs }
}

/** `santander_parking_2026-05-30T1000Z_2026-05-31T1000Z.csv`: says what it is wherever it ends up. */
function toFileName({ name }: City, { kind, format, fromMs, toMs }: Wanted): string {
  const city = name
    .normalize('NFD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
  const [from, to] = [fromMs, toMs].map((timeMs) => `${toIsoTime(timeMs).slice(0, 16).replace(':', '')}Z`)
  return `${city || 'pulso'}_${kind}_${from ?? ''}_${to ?? ''}.${format}`
}

function toAnswer(kinds: Kinds) {
  const examples = createExportExamples(kinds)
  const ofText = (example: string): object => ({ schema: Type.String(), example })
  return {
    description: 'The file',
    content: {
      'text/csv': ofText(examples.csv),
      'application/x-ndjson': ofText(examples.jsonl),
      'application/geo+json': {
        schema: Type.Object({
          type: Type.Literal('FeatureCollection'),
          features: Type.Array(Type.Unknown()),
        }),
        example: JSON.parse(examples.geojson) as unknown,
      },
      'application/vnd.apache.parquet': {
        schema: Type.String({ format: 'binary', description: 'A Parquet file' }),
        // Its first four bytes.
        example: 'PAR1',
      },
    },
  }
}
