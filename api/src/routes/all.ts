import fastifyCookie from '@fastify/cookie'
import fastifyHelmet from '@fastify/helmet'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { PAGE_POLICY } from '../http/headers.ts'
import { aggregatesRoutes } from './aggregates.ts'
import { basemapRoutes } from './basemap.ts'
import { cityRoutes } from './city.ts'
import { addViews, describeCommonProblems } from './common.ts'
import { addOpenapi, docsRoutes, openapiRoute } from './docs.ts'
import { exportRoutes } from './export.ts'
import { healthRoutes } from './health.ts'
import { historyRoutes } from './history.ts'
import { liveRoutes } from './live.ts'
import { metricsRoutes } from './metrics.ts'
import { ngsiLdRoutes } from './ngsi-ld.ts'
import { ogcItemsRoutes } from './ogc-items.ts'
import { ogcRoutes } from './ogc.ts'
import { opsRoutes } from './ops.ts'
import { parkapiRoutes } from './parkapi.ts'
import { parkingRoutes } from './parking.ts'
import { sensorsRoutes } from './sensors.ts'
import { sessionRoutes } from './session.ts'
import { tilesRoutes } from './tiles.ts'
import { webRoutes } from './web.ts'
import { zonesRoutes } from './zones.ts'

/** What is data: for programs. */
const ROUTES = [
  cityRoutes,
  zonesRoutes,
  sensorsRoutes,
  historyRoutes,
  aggregatesRoutes,
  parkingRoutes,
  exportRoutes,
  liveRoutes,
  basemapRoutes,
  tilesRoutes,
  ogcRoutes,
  ogcItemsRoutes,
  ngsiLdRoutes,
  parkapiRoutes,
  healthRoutes,
  metricsRoutes,
  openapiRoute,
]

/** What needs a session, or makes one. */
const OPERATORS_ROUTES = [sessionRoutes, opsRoutes]

/** What a browser shows. */
const PAGES = [docsRoutes, webRoutes]

/** Every route of the interface. */
export function addRoutes(app: App, context: ApiContext): void {
  addViews(app)
  describeCommonProblems(app)
  addOpenapi(app)
  // In plugins of their own, so that they come after those that look at each route.
  void app.register(async (scope: App) => {
    for (const add of ROUTES) add(scope, context)
  })
  void app.register(async (scope: App) => {
    void scope.register(fastifyCookie)
    for (const add of OPERATORS_ROUTES) add(scope, context)
  })
  void app.register(async (scope: App) => {
    void scope.register(fastifyHelmet, {
      contentSecurityPolicy: { useDefaults: false, directives: PAGE_POLICY },
      // Plain http on localhost must work; whoever puts TLS in front adds it there.
      hsts: false,
      frameguard: { action: 'deny' },
    })
    for (const add of PAGES) add(scope, context)
  })
}
