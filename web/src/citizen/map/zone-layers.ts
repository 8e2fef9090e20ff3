import type { LayerSpecification } from 'maplibre-gl'
import type { MapPalette } from './palette.ts'

/** The districts' outlines: there, but never louder than what is measured in them. */
export function buildZoneLayers(palette: MapPalette): LayerSpecification[] {
  return [
    {
      id: 'zone-lines',
      type: 'line',
      source: 'zones',
      layout: { 'line-join': 'round' },
      paint: {
        'line-color': palette.zoneLine,
        'line-opacity': ['interpolate', ['linear'], ['zoom'], 13.5, 0.4, 16, 0.12],
        'line-width': 1,
        'line-dasharray': [4, 3],
      },
    },
    {
      id: 'zone-chosen',
      type: 'line',
      source: 'zones',
      filter: ['==', ['get', 'id'], ''],
      layout: { 'line-join': 'round' },
      paint: { 'line-color': palette.zoneChosen, 'line-width': 2.5, 'line-opacity': 0.9 },
    },
  ]
}
