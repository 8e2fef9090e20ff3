import { VectorTile } from '@mapbox/vector-tile'
import { PbfReader } from 'pbf'

export interface ReadFeature {
  id: number | undefined
  tags: Record<string, string | number | boolean>
  /** Units from the tile's north-west corner. */
  x: number
  y: number
}

/** A tile's features by layer, as a map reads them. */
export function readTile(bytes: Uint8Array): Record<string, ReadFeature[]> {
  const { layers } = new VectorTile(new PbfReader(bytes))
  return Object.fromEntries(
    Object.entries(layers).map(([name, layer]) => [
      name,
      Array.from({ length: layer.length }, (_, index): ReadFeature => {
        const { id, properties, ...feature } = readFeature(layer, index)
        return { id, tags: { ...properties }, ...feature }
      }),
    ]),
  )
}

function readFeature(
  layer: VectorTile['layers'][string],
  index: number,
): { id: number | undefined; properties: Record<string, string | number | boolean>; x: number; y: number } {
  const feature = layer.feature(index)
  const point = feature.loadGeometry()[0]?.[0]
  return { id: feature.id, properties: feature.properties, x: point?.x ?? NaN, y: point?.y ?? NaN }
}
