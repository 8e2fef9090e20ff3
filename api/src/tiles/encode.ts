import { fromGeojsonVt } from '@maplibre/vt-pbf'
import { EXTENT } from './mercator.ts'
import type { TileFeature } from './tile-features.ts'

/** Features by layer as a Mapbox Vector Tile 2.1. Imported when the first tile is asked for. */
export function encodeTile(layers: Readonly<Record<string, readonly TileFeature[]>>): Buffer {
  const tiles = Object.fromEntries(Object.entries(layers).map(([name, features]) => [name, toTile(features)]))
  const bytes = fromGeojsonVt(tiles, { version: 2, extent: EXTENT })
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

type Tile = Parameters<typeof fromGeojsonVt>[0][string]

/** What the encoder reads of a tile is its features; the rest tells how geojson-vt cut it, and nothing was cut here. */
function toTile(features: readonly TileFeature[]): Tile {
  return {
    features: [...features],
    numPoints: features.length,
    numSimplified: features.length,
    numFeatures: features.length,
    source: null,
    x: 0,
    y: 0,
    z: 0,
    transformed: true,
    minX: 0,
    minY: 0,
    maxX: 1,
    maxY: 1,
  }
}
