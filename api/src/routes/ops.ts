import { FRESHNESS, toIsoTime, type OpsOverview } from '@pulso/model'
import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import { listOpsSensors, OPS_SORTS } from '../current/ops-list.ts'
import type { App } from '../http/app.ts'
import { parseKinds, toCursor } from '../http/query.ts'
import { answer, kindParameter, limitParameter, OPS_CONFIG, OPS_SCHEMA, problems } from './common.ts'
import { EXAMPLE_OPS_SENSORS, EXAMPLE_OVERVIEW } from './ops-examples.ts'
import { opsQuarantineRoutes } from './ops-quarantine.ts'
import { SESSION_COOKIE } from './session.ts'

const DEFAULT_SENSORS = 100

/** What operators see; nothing here answers without a session. */
export function opsRoutes(app: App, context: ApiContext): void {
  void app.register(async (scope: App) => {
    // Before the query is looked at: a stranger learns nothing, not even what is a valid question.
    scope.addHook('onRequest', async ({ cookies }) => {
      await context.sessions.require(cookies[SESSION_COOKIE])
    })
    overviewRoute(scope, context)
    sensorsRoute(scope, context)
    opsQuarantineRoutes(scope, context)
  })
}

function overviewRoute(app: App, context: ApiContext): void {
  const { options, checks, feed, startedAtMs } = context
  app.get(
    '/api/v1/ops/overview',
    {
      config: OPS_CONFIG,
      schema: {
        ...OPS_SCHEMA,
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
        stores: stores.map(({ name, driver, ok, detail }) => ({ name, driver, ok, detail })),
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
      config: OPS_CONFIG,
      schema: {
        ...OPS_SCHEMA,
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
