import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { basemapRoutes } from './basemap.ts'
import { cityRoutes } from './city.ts'
import { addViews } from './common.ts'
import { addOpenapi, docsRoutes } from './docs.ts'
import { healthRoutes } from './health.ts'
import { historyRoutes } from './history.ts'
import { liveRoutes } from './live.ts'
import { metricsRoutes } from './metrics.ts'
import { opsRoutes } from './ops.ts'
import { sensorsRoutes } from './sensors.ts'
import { sessionRoutes } from './session.ts'
import { webRoutes } from './web.ts'
import { zonesRoutes } from './zones.ts'

const ROUTES = [
  cityRoutes,
  zonesRoutes,
  sensorsRoutes,
  historyRoutes,
  liveRoutes,
  basemapRoutes,
  sessionRoutes,
  opsRoutes,
  healthRoutes,
  metricsRoutes,
  docsRoutes,
  webRoutes,
]

/** Every route of the interface. */
export function addRoutes(app: App, context: ApiContext): void {
  addViews(app)
  addOpenapi(app)
  // In a plugin of its own, so that it comes after those that look at each route.
  void app.register(async (scope: App) => {
    for (const add of ROUTES) add(scope, context)
  })
}
