import type { Api } from '../../shared/api.ts'
import type { Schematic } from './basemap.ts'

/**
 * The drawn city, by its version, so that the browser may keep it until the city file changes; null when it did not load, because sensors on plain ground
 * are better than no map.
 */
export async function loadSchematic(api: Api, version: string | undefined): Promise<Schematic | null> {
  try {
    return await api.get<Schematic>(
      `/basemap/schematic.json${version === undefined ? '' : `?v=${encodeURIComponent(version)}`}`,
    )
  } catch {
    return null
  }
}

export function supportsWebgl(): boolean {
  const canvas = document.createElement('canvas')
  return canvas.getContext('webgl2') !== null || canvas.getContext('webgl') !== null
}
