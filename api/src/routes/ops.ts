import { FRESHNESS, QUARANTINE_REASONS, toIsoTime, type OpsOverview } from '@pulso/model'
import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import { listOpsSensors, OPS_SORTS } from '../current/ops-list.ts'
import type { App } from '../http/app.ts'
import { parseKinds, toCursor } from '../http/query.ts'
import { answer, kindParameter, limitParameter, problems } from './common.ts'
import { EXAMPLE_OPS_SENSORS, EXAMPLE_OVERVIEW, EXAMPLE_QUARANTINE } from './ops-examples.ts'
import { toQuarantinePage } from './ops-quarantine.ts'
import { SESSION_COOKIE } from './session.ts'

const DEFAULT_SENSORS = 100
const DEFAULT_ENTRIES = 50

const shared = { tags: ['operators'], security: [{ session: [] }] }
const config = { cacheControl: 'no-store' }

/** What operators see; nothing here answers without a session. */
export function opsRoutes(app: App, context: ApiContext): void {
  void app.register(async (scope: App) => {
    // Before the query is looked at: a stranger learns nothing, not even what is a valid question.
    scope.addHook('onRequest', async ({ cookies }) => {
      await context.sessions.require(cookies[SESSION_COOKIE])
    })
    overviewRoute(scope, context)
    sensorsRoute(scope, context)
    quarantineRoute(scope, context)
  })
}

function overviewRoute(app: App, context: ApiContext): void {
  const { options, checks, feed, startedAtMs } = context
  app.get(
    '/api/v1/ops/overview',
    {
      config,
      schema: {
        ...shared,
        summary: 'How the installation is doing',
        description:
          'The journal’s depth and age, the ingest rate, connections, stores, the quarantine by reason.',
        response: {
          200: answer('OpsOverview', { description: 'The overview', example: EXAMPLE_OVERVIEW }),
          ...problems(401, 429, 503),
        },
      },
    },
    async (): Promise<OpsOverview> => {
      const [parts, stores, { byReason }] = await Promise.all([
        options.operations.overview(),
        checks.run(),
        options.registry.countQuarantine(),
      ])
      return {
        time: toIsoTime(options.clock.now()),
        startedAt: toIsoTime(startedAtMs),
        ...parts,
        liveClients: feed.clients,
        stores,
        quarantine: Object.entries(byReason).map(([reason, count]) => ({ reason, count })),
      }
    },
  )
}

function sensorsRoute(app: App, { options, current }: ApiContext): void {
  const Query = Type.Object({
    kind: Type.Optional(kindParameter(options.kinds)),
    freshness: Type.Optional(Type.Enum([...FRESHNESS], { description: 'Only these', examples: ['offline'] })),
    q: Type.Optional(
      Type.String({ maxLength: 100, description: 'Part of an id or name', examples: ['bay-0'] }),
    ),
    sort: Type.Optional(
      Type.Enum([...OPS_SORTS], {
        default: 'silent',
        description: 'Longest silent, lowest battery, or id first',
        examples: ['silent'],
      }),
    ),
    limit: limitParameter({ maximum: 1_000, default: DEFAULT_SENSORS }),
    cursor: Type.Optional(
      Type.String({
        maxLength: 400,
        description: '`next` of the page before',
        examples: [toCursor([0, 'bay-042'])],
      }),
    ),
  })
  app.get(
    '/api/v1/ops/sensors',
    {
      config,
      schema: {
        ...shared,
        summary: 'Every sensor, with what its device says of itself',
        description: 'Battery, signal, presence, age and freshness, and how much of it is in quarantine.',
        querystring: Query,
        response: {
          200: answer('OpsSensors', { description: 'A page of sensors', example: EXAMPLE_OPS_SENSORS }),
          ...problems(400, 401, 429, 503),
        },
      },
    },
    async ({ query }) => {
      const { bySensor } = await options.registry.countQuarantine()
      const page = listOpsSensors(current.list(), {
        ...query,
        kinds: parseKinds(query.kind, options.kinds),
        sort: query.sort ?? 'silent',
        quarantined: bySensor,
      })
      return { time: toIsoTime(options.clock.now()), ...page }
    },
  )
}

function quarantineRoute(app: App, { options }: ApiContext): void {
  const Query = Type.Object({
    reason: Type.Optional(
      Type.Enum([...QUARANTINE_REASONS], { description: 'Only this', examples: ['out-of-range'] }),
    ),
    sensor: Type.Optional(
      Type.String({ maxLength: 256, description: 'Only this sensor’s', examples: ['bay-042'] }),
    ),
    limit: limitParameter({ maximum: 200, default: DEFAULT_ENTRIES }),
    before: Type.Optional(
      Type.Integer({ minimum: 1, description: '`next` of the page before', examples: [1_042] }),
    ),
  })
  app.get(
    '/api/v1/ops/quarantine',
    {
      config,
      schema: {
        ...shared,
        summary: 'What was kept aside instead of stored, newest first',
        description: 'With the reason, and what arrived as text; bytes that are no UTF-8 show as �.',
        querystring: Query,
        response: {
          200: answer('QuarantinePage', { description: 'A page of entries', example: EXAMPLE_QUARANTINE }),
          ...problems(400, 401, 429, 503),
        },
      },
    },
    async ({ query: { limit, reason, sensor, before } }) => {
      const entries = await options.registry.listQuarantine({
        // One more than asked for tells whether there is a next page.
        limit: limit + 1,
        ...(reason && { reason }),
        ...(sensor !== undefined && { sensorId: sensor }),
        ...(before !== undefined && { beforeId: before }),
      })
      return toQuarantinePage(entries, limit)
    },
  )
}
