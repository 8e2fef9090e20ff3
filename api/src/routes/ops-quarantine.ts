import { QUARANTINE_REASONS } from '@pulso/model'
import { QuarantineReplay, QuarantineSelection } from '@pulso/model/schemas'
import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { purgeQuarantineStep, readQuarantinePage, readQuarantineTotals } from '../quarantine.ts'
import { answer, limitParameter, OPS_CONFIG, OPS_SCHEMA, problems } from './common.ts'
import {
  EXAMPLE_PURGED,
  EXAMPLE_QUARANTINE,
  EXAMPLE_REPLAYED,
  EXAMPLE_TOTALS,
} from './ops-quarantine-examples.ts'

const DEFAULT_ENTRIES = 50
const DEFAULT_TOTALS = 100

const Reason = Type.Optional(
  Type.Enum([...QUARANTINE_REASONS], { description: 'Only this', examples: ['out-of-range'] }),
)
const SensorId = Type.Optional(
  Type.String({ maxLength: 256, description: 'Only this sensor’s', examples: ['bay-042'] }),
)
const positive = (description: string, example: number) =>
  Type.Optional(Type.Integer({ minimum: 1, description, examples: [example] }))

/** To be registered where a session has been asked for. */
export function opsQuarantineRoutes(app: App, context: ApiContext): void {
  listRoute(app, context)
  totalsRoute(app, context)
  replayRoute(app, context)
  purgeRoute(app, context)
}

function listRoute(app: App, { options }: ApiContext): void {
  const Query = Type.Object({
    reason: Reason,
    sensor: SensorId,
    total: positive('Only those of this row of the totals', 7),
    limit: limitParameter({ maximum: 200, default: DEFAULT_ENTRIES }),
    before: positive('`next` of the page before', 1_042),
  })
  app.get(
    '/api/v1/ops/quarantine',
    {
      config: OPS_CONFIG,
      schema: {
        ...OPS_SCHEMA,
        summary: 'What was kept aside instead of stored, newest first',
        description:
          'With the reason, and what arrived as text; bytes that are no UTF-8 show as �, with `hex`.',
        querystring: Query,
        response: {
          200: answer('QuarantinePage', { description: 'A page of entries', example: EXAMPLE_QUARANTINE }),
          ...problems(400, 401, 429, 503),
        },
      },
    },
    ({ query: { limit, reason, sensor, total, before } }) =>
      readQuarantinePage(options.registry, {
        limit,
        ...(reason && { reason }),
        ...(sensor !== undefined && { sensorId: sensor }),
        ...(total !== undefined && { totalId: total }),
        ...(before !== undefined && { beforeId: before }),
      }),
  )
}

function totalsRoute(app: App, { options }: ApiContext): void {
  const Query = Type.Object({
    reason: Reason,
    sensor: SensorId,
    limit: limitParameter({ maximum: 1_000, default: DEFAULT_TOTALS }),
  })
  app.get(
    '/api/v1/ops/quarantine/totals',
    {
      config: OPS_CONFIG,
      schema: {
        ...OPS_SCHEMA,
        summary: 'The same mistake of the same sensor, how often, since when',
        description: 'With the latest as a sample. Counts on where entries had to go at a bound.',
        querystring: Query,
        response: {
          200: answer('QuarantineTotals', { description: 'Those made last first', example: EXAMPLE_TOTALS }),
          ...problems(400, 401, 429, 503),
        },
      },
    },
    ({ query: { limit, reason, sensor } }) =>
      readQuarantineTotals(options.registry, {
        limit,
        ...(reason && { reason }),
        ...(sensor !== undefined && { sensorId: sensor }),
      }),
  )
}

function replayRoute(app: App, { options }: ApiContext): void {
  app.post(
    '/api/v1/ops/quarantine/replay',
    {
      config: OPS_CONFIG,
      schema: {
        ...OPS_SCHEMA,
        summary: 'Try again what was kept aside, after a fix',
        description:
          'One step: takes a number of entries, oldest first, puts their messages into the journal with their first receive time, and waits for what ingest makes of them. What is still not right comes back as a new entry. Send `next` with the same selection until it is null.',
        body: QuarantineReplay,
        response: {
          200: answer('QuarantineReplayed', { description: 'What came of it', example: EXAMPLE_REPLAYED }),
          ...problems(400, 401, 403, 429, 503),
        },
      },
    },
    ({ body }) => options.operations.replayQuarantine(body),
  )
}

function purgeRoute(app: App, { options }: ApiContext): void {
  app.post(
    '/api/v1/ops/quarantine/purge',
    {
      config: OPS_CONFIG,
      schema: {
        ...OPS_SCHEMA,
        summary: 'Delete what was kept aside',
        description:
          'For good, one step: at most 1,000 entries, oldest first. An empty object means all. Send `next` with the same selection until it is null.',
        body: QuarantineSelection,
        response: {
          200: answer('QuarantinePurged', { description: 'How many went', example: EXAMPLE_PURGED }),
          ...problems(400, 401, 403, 429, 503),
        },
      },
    },
    ({ body }) => purgeQuarantineStep(options.registry, body),
  )
}
