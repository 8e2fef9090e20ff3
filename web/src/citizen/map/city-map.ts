import type { CityView, KindView, SensorFeature } from '@pulso/model'
import type { FeatureCollection, Geometry, Point } from 'geojson'
import {
  Map as MapLibre,
  type GeoJSONSource,
  type LayerSpecification,
  type PaddingOptions,
  type StyleSpecification,
} from 'maplibre-gl'
import type { MapPosition } from '../view-address.ts'
import { buildBasemapLayers, buildLabelLayers } from './basemap-layers.ts'
import { prepareSchematic, type Schematic } from './basemap.ts'
import { createFlashes } from './flashes.ts'
import { MAP_PALETTES } from './palette.ts'
import { buildSensorLayers, SENSOR_SOURCE, SENSOR_ZOOM, typicalSpacingM } from './sensor-layers.ts'
import { addStateImages } from './state-images.ts'
import { buildZoneLayers } from './zone-layers.ts'
import { createZoneBadges, type BadgeContent } from './zone-badges.ts'
import './map.css'

/** Free room around what is brought into view, so that a district's badge is not cut off. */
const EDGE_PX = 32

export type MapTheme = 'light' | 'dark'

export interface CityMapOptions {
  container: HTMLElement
  city: CityView
  /** The drawn city; null when there is none or it did not load. */
  schematic: Schematic | null
  theme: MapTheme
  position: MapPosition | null
  /** What to show without a position. */
  bounds: [number, number, number, number]
  padding: PaddingOptions
  reducesMotion: boolean
  onSelectSensor: (id: string | null) => void
  onSelectZone: (id: string) => void
  onMove: (position: MapPosition) => void
  /** The first picture stands. */
  onReady: () => void
  /** `isFatal`: the browser took the drawing surface away. */
  onError: (failure: { isFatal: boolean }) => void
}

export interface CityMap {
  setTheme(theme: MapTheme): void
  /** Another kind, or sensors that came or moved: new data for the map. */
  setSensors(kind: KindView, sensors: readonly SensorFeature[]): void
  /** Live changes: only how the features stand. */
  updateSensors(sensors: readonly SensorFeature[], flashes: boolean): void
  /** What a screen reader says of the map. */
  setLabel(label: string): void
  showBadges(contents: readonly BadgeContent[]): void
  choose(zone: string | null, sensor: string | null): void
  /** A sensor's place, near enough to see it. */
  goTo(lngLat: [number, number]): void
  fit(bounds: [number, number, number, number]): void
  zoomBy(steps: number): void
  setPadding(padding: PaddingOptions): void
  destroy(): void
}

/** The map. Throws when the browser has no WebGL. */
export function createCityMap(options: CityMapOptions): CityMap {
  const { container, city } = options
  let theme = options.theme
  let shown: { kind: KindView; sensors: readonly SensorFeature[] } | undefined
  let chosen: { zone: string | null; sensor: string | null } = { zone: null, sensor: null }
  let isLoaded = false
  const map = new MapLibre({
    container,
    style: buildStyle(options),
    attributionControl: false,
    minZoom: 9,
    maxZoom: 20,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxBounds: widen(city.bounds),
    center: [(city.bounds[0] + city.bounds[2]) / 2, (city.bounds[1] + city.bounds[3]) / 2],
    zoom: 12,
  })
  // First the padding, which moves the middle, then what is to stand in it.
  map.setPadding(options.padding)
  if (options.position) map.jumpTo({ center: options.position, zoom: options.position.zoom })
  else map.fitBounds(options.bounds, { padding: EDGE_PX, duration: 0 })
  map.touchZoomRotate.disableRotation()
  map.keyboard.disableRotation()
  const badges = createZoneBadges(map, options.onSelectZone)
  const flashes = createFlashes(map)
  window.pulsoMap = map

  map.on('load', () => {
    isLoaded = true
    if (shown) drawSensors(shown.kind, shown.sensors)
    chooseZone(chosen.zone)
    options.onReady()
  })
  map.on('error', () => options.onError({ isFatal: false }))
  map.on('webglcontextlost', () => options.onError({ isFatal: true }))
  map.on('moveend', () => {
    const { lat, lng } = map.getCenter()
    options.onMove({ lat, lon: lng, zoom: map.getZoom() })
  })
  map.on('zoom', () => badges.setVisible(map.getZoom() < SENSOR_ZOOM))
  badges.setVisible(map.getZoom() < SENSOR_ZOOM)
  map.on('click', (event) => {
    const found = findSensorAt(map, event.point)
    if (found !== undefined || chosen.sensor) options.onSelectSensor(found ?? null)
  })
  map.on('mousemove', (event) => {
    map.getCanvas().style.cursor = findSensorAt(map, event.point) === undefined ? '' : 'pointer'
  })

  function drawSensors(kind: KindView, sensors: readonly SensorFeature[]): void {
    const placed = toCollection(sensors)
    removeSensorLayers(map)
    map.removeFeatureState({ source: SENSOR_SOURCE })
    map.getSource<GeoJSONSource>(SENSOR_SOURCE)?.setData(placed)
    addStateImages(map, kind)
    const spacingM = typicalSpacingM(
      placed.features.map(({ geometry }) => geometry.coordinates as [number, number]),
    )
    const latitude = (city.bounds[1] + city.bounds[3]) / 2
    for (const layer of buildSensorLayers({ kind, palette: MAP_PALETTES[theme], spacingM, latitude }))
      map.addLayer(layer)
    setStates(sensors)
    markChosen(chosen.sensor, true)
  }

  function setStates(sensors: readonly SensorFeature[]): void {
    for (const { id, properties } of sensors) {
      map.setFeatureState(
        { source: SENSOR_SOURCE, id },
        { state: properties.state, freshness: properties.freshness },
      )
    }
  }

  function chooseZone(zone: string | null): void {
    map.setFilter('zone-chosen', ['==', ['get', 'id'], zone ?? ''])
  }

  function markChosen(sensor: string | null, isChosen: boolean): void {
    if (sensor !== null) map.setFeatureState({ source: SENSOR_SOURCE, id: sensor }, { chosen: isChosen })
  }

  return {
    setTheme(wanted) {
      if (wanted === theme) return
      theme = wanted
      if (!isLoaded) {
        map.setStyle(buildStyle({ ...options, theme }))
        return
      }
      // Only paint differs between themes; a new style would lose every sensor's live state.
      repaint(map, buildStyle({ ...options, theme }).layers)
      if (shown) drawSensors(shown.kind, shown.sensors)
    },
    setSensors(kind, sensors) {
      shown = { kind, sensors }
      if (isLoaded) drawSensors(kind, sensors)
    },
    updateSensors(sensors, isFlashing) {
      if (!isLoaded) return
      setStates(sensors)
      if (isFlashing && !options.reducesMotion) flashes.start(sensors.map(({ id }) => id))
    },
    setLabel: (label) => map.getCanvas().setAttribute('aria-label', label),
    showBadges: (contents) => badges.show(contents),
    choose(zone, sensor) {
      badges.setChosen(zone)
      if (isLoaded) {
        markChosen(chosen.sensor, false)
        markChosen(sensor, true)
        chooseZone(zone)
      }
      chosen = { zone, sensor }
    },
    goTo(lngLat) {
      const zoom = map.getZoom() < SENSOR_ZOOM + 1 ? SENSOR_ZOOM + 2.5 : map.getZoom()
      map.easeTo({ center: lngLat, zoom, ...motion(options) })
    },
    fit: (bounds) => map.fitBounds(bounds, { padding: EDGE_PX, maxZoom: 16.5, ...motion(options) }),
    zoomBy: (steps) => map.easeTo({ zoom: map.getZoom() + steps, ...motion(options) }),
    setPadding: (padding) => map.easeTo({ padding, ...motion(options) }),
    destroy() {
      flashes.stop()
      badges.destroy()
      map.remove()
      delete window.pulsoMap
    },
  }
}

function buildStyle({ city, schematic, theme }: CityMapOptions): StyleSpecification {
  const palette = MAP_PALETTES[theme]
  const zoneNames = new Set(city.zones.map(({ name }) => name))
  const nothing: FeatureCollection = { type: 'FeatureCollection', features: [] }
  return {
    version: 8,
    sources: {
      schematic: {
        type: 'geojson',
        data: schematic ? prepareSchematic(schematic, zoneNames) : nothing,
        tolerance: 0.2,
      },
      zones: {
        type: 'geojson',
        data: {
          type: 'FeatureCollection',
          features: city.zones.map(({ id, name, geometry }) => ({
            type: 'Feature',
            properties: { id, name },
            geometry: geometry as Geometry,
          })),
        },
      },
      [SENSOR_SOURCE]: { type: 'geojson', data: nothing, promoteId: 'id', maxzoom: 16, buffer: 32 },
    },
    layers: [
      ...buildBasemapLayers(palette, schematic !== null),
      ...buildZoneLayers(palette),
      ...buildLabelLayers(palette),
    ],
  }
}

function repaint(map: MapLibre, layers: readonly LayerSpecification[]): void {
  for (const { id, paint } of layers) {
    for (const [property, value] of Object.entries(paint ?? {})) map.setPaintProperty(id, property, value)
  }
}

function removeSensorLayers(map: MapLibre): void {
  for (const { id, ...layer } of map.getStyle().layers) {
    if ('source' in layer && layer.source === SENSOR_SOURCE) map.removeLayer(id)
  }
}

function toCollection(sensors: readonly SensorFeature[]): FeatureCollection<Point, { id: string }> {
  return {
    type: 'FeatureCollection',
    features: sensors.flatMap(({ id, geometry }) =>
      geometry ? [{ type: 'Feature' as const, geometry, properties: { id } }] : [],
    ),
  }
}

/** A finger is less exact than a pointer: a few pixels around the place count. */
function findSensorAt(map: MapLibre, { x, y }: { x: number; y: number }): string | undefined {
  if (!map.getLayer('sensor-dots') || map.getZoom() < SENSOR_ZOOM) return undefined
  const reach = 6
  const [first] = map.queryRenderedFeatures(
    [
      [x - reach, y - reach],
      [x + reach, y + reach],
    ],
    { layers: ['sensor-dots'] },
  )
  return typeof first?.properties.id === 'string' ? first.properties.id : undefined
}

/** Room to drag the city's edge into the middle, no more: there is nothing drawn beyond. */
function widen([west, south, east, north]: [number, number, number, number]): [
  number,
  number,
  number,
  number,
] {
  const [width, height] = [east - west, north - south]
  return [west - width, south - height, east + width, north + height]
}

function motion({ reducesMotion }: CityMapOptions): { duration: number } {
  return { duration: reducesMotion ? 0 : 450 }
}

declare global {
  interface Window {
    /** Test hook: the map, so that a browser test can read a sensor's live state off it. Nothing else uses it. */
    pulsoMap?: MapLibre
  }
}
