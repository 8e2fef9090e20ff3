import type { KindView } from '@pulso/model'
import type { ExpressionSpecification, LayerSpecification } from 'maplibre-gl'
import { UNKNOWN_STATE } from '../../shared/kinds.ts'
import type { MapPalette } from './palette.ts'

export const SENSOR_SOURCE = 'sensors'
/** From here on single sensors are drawn; below, each district's badge. */
export const SENSOR_ZOOM = 14

const LARGEST_RADIUS_PX = 12
/** A symbol on a smaller dot could not be read. */
const SYMBOL_RADIUS_PX = 6.5
/** Half the edge of a symbol's image, in CSS pixels. */
export const SYMBOL_HALF_PX = 16
const ZOOMS = [13, 14, 15, 16, 16.5, 17, 17.5, 18, 19, 20, 22]

export interface SensorLayerOptions {
  kind: KindView
  palette: MapPalette
  /** Usual distance between neighbours: it decides how large a dot may be without covering the next one. */
  spacingM: number
  latitude: number
}

/**
 * Dots coloured by state, their symbols, and rings for what is delayed, chosen or just changed. Colour, opacity and
 * symbol all follow the feature's live state, so that a change costs no new data. An image cannot depend on that
 * state, hence one symbol layer per state, of which one shows.
 */
export function buildSensorLayers({
  kind,
  palette,
  spacingM,
  latitude,
}: SensorLayerOptions): LayerSpecification[] {
  const radiusAt = (zoom: number): number => dotRadiusPx(spacingM / metresPerPixel(zoom, latitude), zoom)
  const symbolZoom = ZOOMS.find((zoom) => radiusAt(zoom) >= SYMBOL_RADIUS_PX) ?? 17
  const colour = stateColour(kind)
  const isStale: ExpressionSpecification = ['==', ['feature-state', 'freshness'], 'stale']
  const circle = { type: 'circle' as const, source: SENSOR_SOURCE, minzoom: SENSOR_ZOOM }
  return [
    {
      id: 'sensor-flash',
      ...circle,
      paint: {
        'circle-radius': byZoom((zoom) => radiusAt(zoom) + 9),
        'circle-color': colour,
        'circle-blur': 0.4,
        'circle-opacity': ['*', 0.6, ['number', ['feature-state', 'flash'], 0]],
      },
    },
    {
      id: 'sensor-dots',
      ...circle,
      paint: {
        'circle-radius': byZoom(radiusAt),
        'circle-color': colour,
        'circle-opacity': ['case', isStale, 0.62, 1],
        'circle-stroke-color': palette.dotEdge,
        'circle-stroke-width': byZoom((zoom) => Math.max(0.6, radiusAt(zoom) / 7)),
      },
    },
    {
      id: 'sensor-stale',
      ...circle,
      paint: {
        'circle-radius': byZoom((zoom) => radiusAt(zoom) + 1.5),
        'circle-color': 'rgba(0,0,0,0)',
        'circle-stroke-color': palette.text,
        'circle-stroke-width': byZoom((zoom) => Math.max(1, radiusAt(zoom) / 6)),
        'circle-stroke-opacity': ['case', isStale, 0.85, 0],
      },
    },
    ...kind.states.map((state) => buildSymbolLayer(kind, state.id, { symbolZoom, radiusAt })),
    {
      id: 'sensor-chosen',
      ...circle,
      paint: {
        'circle-radius': byZoom((zoom) => radiusAt(zoom) + 5),
        'circle-color': 'rgba(0,0,0,0)',
        'circle-stroke-color': palette.accent,
        'circle-stroke-width': 3,
        'circle-stroke-opacity': ['case', ['boolean', ['feature-state', 'chosen'], false], 1, 0],
      },
    },
  ]
}

export function symbolImageId(kind: string, state: string): string {
  return `state/${kind}/${state}`
}

/**
 * The usual distance from a sensor to its nearest neighbour, in metres: the median over a sample.
 * @param positions `[lon, lat]`
 */
export function typicalSpacingM(positions: readonly (readonly [number, number])[]): number {
  const step = Math.max(1, Math.floor(positions.length / SPACING_SAMPLE))
  const nearest: number[] = []
  for (let index = 0; index < positions.length; index += step) {
    const from = positions[index]
    if (!from) continue
    let best = Infinity
    for (const to of positions) if (to !== from) best = Math.min(best, distanceM(from, to))
    if (best < Infinity) nearest.push(best)
  }
  nearest.sort((a, b) => a - b)
  return nearest[Math.floor(nearest.length / 2)] ?? 1_000
}

const SPACING_SAMPLE = 120

/** A little less than half the distance between neighbours, within what can be seen and what is not clumsy. */
function dotRadiusPx(spacingPx: number, zoom: number): number {
  const smallestPx = Math.min(3 + Math.max(0, zoom - SENSOR_ZOOM) * 0.9, 6)
  return Math.min(LARGEST_RADIUS_PX, Math.max(smallestPx, spacingPx * 0.42))
}

function buildSymbolLayer(
  kind: KindView,
  state: string,
  { symbolZoom, radiusAt }: { symbolZoom: number; radiusAt: (zoom: number) => number },
): LayerSpecification {
  return {
    id: `sensor-symbol-${state}`,
    type: 'symbol',
    source: SENSOR_SOURCE,
    minzoom: Math.max(symbolZoom, SENSOR_ZOOM),
    layout: {
      'icon-image': symbolImageId(kind.id, state),
      'icon-size': byZoom((zoom) => radiusAt(zoom) / SYMBOL_HALF_PX),
      'icon-allow-overlap': true,
      'icon-ignore-placement': true,
    },
    paint: {
      'icon-opacity': ['case', ['==', liveState(), state], 1, 0],
    },
  }
}

function stateColour(kind: KindView): ExpressionSpecification {
  const pairs = kind.states.flatMap(({ id, colour }) => [id, colour])
  const fallback = kind.states.find(({ id }) => id === UNKNOWN_STATE)?.colour ?? '#8A949E'
  return ['match', liveState(), ...pairs, fallback] as unknown as ExpressionSpecification
}

function liveState(): ExpressionSpecification {
  return ['string', ['feature-state', 'state'], UNKNOWN_STATE]
}

function byZoom(value: (zoom: number) => number): ExpressionSpecification {
  const stops = ZOOMS.flatMap((zoom) => [zoom, Number(value(zoom).toFixed(3))])
  return ['interpolate', ['linear'], ['zoom'], ...stops] as unknown as ExpressionSpecification
}

/** Web Mercator with tiles of 512 px, as MapLibre counts zoom. */
function metresPerPixel(zoom: number, latitude: number): number {
  return (78_271.517 * Math.cos((latitude * Math.PI) / 180)) / 2 ** zoom
}

function distanceM([lon1, lat1]: readonly [number, number], [lon2, lat2]: readonly [number, number]): number {
  const metresPerDegree = 111_320
  return Math.hypot((lon2 - lon1) * Math.cos((lat1 * Math.PI) / 180), lat2 - lat1) * metresPerDegree
}
