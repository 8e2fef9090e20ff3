import type { Map as MapLibre } from 'maplibre-gl'
import { SENSOR_SOURCE } from './sensor-layers.ts'

/** Glows around changed sensors, fading in a second. At most so many at a time: more would only be unrest. */
export function createFlashes(map: MapLibre): { start(ids: readonly string[]): void; stop(): void } {
  const limit = 40
  const stepMs = 60
  const levels = new Map<string, number>()
  let timer: ReturnType<typeof setInterval> | undefined
  const step = (): void => {
    for (const [id, level] of levels) {
      map.setFeatureState({ source: SENSOR_SOURCE, id }, { flash: level })
      if (level <= 0) levels.delete(id)
      else levels.set(id, Math.max(0, level - 0.06))
    }
    if (levels.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
  return {
    start(ids) {
      for (const id of ids) if (levels.size < limit) levels.set(id, 1)
      timer ??= setInterval(step, stepMs)
    },
    stop: () => clearInterval(timer),
  }
}
