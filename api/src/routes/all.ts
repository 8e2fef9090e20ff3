import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { cityRoutes } from './city.ts'
import { healthRoutes } from './health.ts'
import { liveRoutes } from './live.ts'
import { sensorsRoutes } from './sensors.ts'
import { zonesRoutes } from './zones.ts'

/** Every route of the interface. */
export function addRoutes(app: App, context: ApiContext): void {
  // In a plugin of its own, so that it comes after those that look at each route.
  void app.register(async (scope: App) => {
    for (const add of [cityRoutes, zonesRoutes, sensorsRoutes, liveRoutes, healthRoutes]) add(scope, context)
  })
}
