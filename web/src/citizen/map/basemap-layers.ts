import type { ExpressionSpecification, FilterSpecification, LayerSpecification } from 'maplibre-gl'
import type { MapPalette } from './palette.ts'

/**
 * Fonts of the reader's own system: a style without `glyphs` makes MapLibre draw text with them, and no font is
 * fetched. MapLibre reads the weight off the first name.
 */
const PLAIN = ['Regular', 'system-ui', 'Segoe UI', 'Roboto', 'Noto Sans', 'Liberation Sans']
const STRONG = ['Semibold', ...PLAIN.slice(1)]
const ITALIC = ['Italic', ...PLAIN.slice(1)]

/** The drawn city, from the sea upwards. */
export function buildBasemapLayers(palette: MapPalette, hasSchematic: boolean): LayerSpecification[] {
  return [
    {
      id: 'ground',
      type: 'background',
      paint: { 'background-color': hasSchematic ? palette.sea : palette.land },
    },
    area('land', palette.land),
    {
      id: 'coast',
      type: 'line',
      source: 'schematic',
      filter: ofLayer('land'),
      paint: { 'line-color': palette.coast, 'line-width': zoomed([11, 0.8, 16, 2]) },
    },
    area('harbour', palette.harbour),
    area('park', palette.park),
    area('beach', palette.beach),
    area('water', palette.sea),
    ...buildRail(palette),
    ...buildStreets(palette),
  ]
}

/** Names, above everything drawn and below the sensors. */
export function buildLabelLayers(palette: MapPalette): LayerSpecification[] {
  return [
    {
      ...streetNames('street-names-small', ['residential', 'secondary'], 14.6),
      paint: halo(palette.textSoft, palette.halo),
    },
    { ...streetNames('street-names', ['primary', 'motorway'], 13), paint: halo(palette.text, palette.halo) },
    areaNames('green-names', ['park', 'beach'], halo(palette.textPark, palette.halo)),
    areaNames('harbour-names', ['harbour'], halo(palette.textSoft, palette.halo)),
    {
      ...placeNames('place-names', false),
      paint: halo(palette.text, palette.halo),
    },
    {
      ...placeNames('water-names', true),
      paint: halo(palette.textWater, palette.waterHalo),
    },
  ]
}

function area(layer: string, colour: string): LayerSpecification {
  return {
    id: layer,
    type: 'fill',
    source: 'schematic',
    filter: ['all', ofLayer(layer), ['==', ['geometry-type'], 'Polygon']],
    paint: { 'fill-color': colour },
  }
}

function buildRail(palette: MapPalette): LayerSpecification[] {
  const line = { type: 'line' as const, source: 'schematic', filter: ofLayer('rail') }
  return [
    { id: 'rail', ...line, paint: { 'line-color': palette.rail, 'line-width': zoomed([11, 0.8, 16, 2.5]) } },
    {
      id: 'rail-sleepers',
      ...line,
      minzoom: 13,
      paint: {
        'line-color': palette.rail,
        'line-width': zoomed([13, 3, 16, 7]),
        'line-dasharray': [0.25, 2.5],
      },
    },
  ]
}

/** Width in pixels by class, at zooms 11, 14, 17 and 20. */
const STREET_WIDTHS: Readonly<Record<string, readonly [number, number, number, number]>> = {
  residential: [0.4, 2.2, 9, 40],
  secondary: [1, 3.4, 12, 52],
  primary: [1.6, 5, 15, 64],
  motorway: [2, 5.6, 16, 68],
}

function buildStreets(palette: MapPalette): LayerSpecification[] {
  const classes = Object.entries(STREET_WIDTHS)
  const fills: Record<string, string> = { primary: palette.streetMain, motorway: palette.motorway }
  const street = (
    name: string,
    part: 'casing' | 'fill',
    width: ExpressionSpecification,
  ): LayerSpecification => ({
    id: `street-${name}-${part}`,
    type: 'line',
    source: 'schematic',
    filter: ['all', ofLayer('street'), ['==', ['coalesce', ['get', 'class'], 'residential'], name]],
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: {
      'line-color': part === 'casing' ? palette.casing : (fills[name] ?? palette.street),
      'line-width': width,
    },
  })
  return [
    ...classes.map(([name, [low, middle, high, top]]) =>
      street(name, 'casing', zoomed([11, low + 0.6, 14, middle + 1.4, 17, high + 2.4, 20, top + 4])),
    ),
    ...classes.map(([name, [low, middle, high, top]]) =>
      street(name, 'fill', zoomed([11, low, 14, middle, 17, high, 20, top])),
    ),
  ]
}

function streetNames(id: string, classes: string[], minzoom: number) {
  return {
    id,
    type: 'symbol' as const,
    source: 'schematic',
    minzoom,
    filter: ['all', ofLayer('street'), ['in', ['get', 'class'], ['literal', classes]]] as FilterSpecification,
    layout: {
      'symbol-placement': 'line' as const,
      'symbol-spacing': 380,
      'text-field': ['get', 'name'] as ExpressionSpecification,
      'text-font': PLAIN,
      'text-size': zoomed([13, 10.5, 17, 13]),
      'text-max-angle': 35,
      'text-padding': 6,
    },
  }
}

function areaNames(id: string, layers: string[], paint: ReturnType<typeof halo>): LayerSpecification {
  return {
    id,
    type: 'symbol',
    source: 'schematic',
    minzoom: 13.2,
    filter: ['in', ['get', 'layer'], ['literal', layers]],
    layout: {
      'text-field': ['get', 'name'],
      'text-font': PLAIN,
      'text-size': zoomed([13, 10.5, 17, 13]),
      'text-max-width': 8,
      'text-padding': 8,
    },
    paint,
  }
}

function placeNames(id: string, isWet: boolean) {
  return {
    id,
    type: 'symbol' as const,
    source: 'schematic',
    minzoom: isWet ? 10 : 12.6,
    filter: ['all', ofLayer('place'), ['==', ['get', 'wet'], isWet]] as FilterSpecification,
    layout: {
      'text-field': ['get', 'name'] as ExpressionSpecification,
      'text-font': isWet ? ITALIC : STRONG,
      'text-size': zoomed(isWet ? [11, 11, 15, 16] : [12, 10.5, 16, 13]),
      'text-letter-spacing': isWet ? 0.06 : 0,
      'text-max-width': 8,
      'text-padding': 10,
    },
  }
}

function halo(colour: string, ground: string) {
  return { 'text-color': colour, 'text-halo-color': ground, 'text-halo-width': 1.4, 'text-halo-blur': 0.4 }
}

function ofLayer(layer: string): ExpressionSpecification {
  return ['==', ['get', 'layer'], layer]
}

/** `[zoom, value, zoom, value, …]`, growing smoothly in between. */
function zoomed(stops: number[]): ExpressionSpecification {
  return ['interpolate', ['exponential', 1.5], ['zoom'], ...stops] as unknown as ExpressionSpecification
}
