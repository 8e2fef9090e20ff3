import type { PaddingOptions } from 'maplibre-gl'
import type { Geometry } from 'geojson'
import { untrack } from 'svelte'
import type { Theme } from '../shared/theme.svelte.ts'
import { findBadgePlaces, toBadgeContents } from './badge-contents.ts'
import type { Citizen } from './context.ts'
import { listSensors } from './live-state.ts'
import { boundsOf } from './map/basemap.ts'
import type { CityMap } from './map/city-map.ts'

interface SyncOptions {
  citizen: Citizen
  theme: Theme
  map: () => CityMap | undefined
  padding: () => PaddingOptions
}

/** Keeps the map in step with what the page knows and looks at. Called while a component is set up. */
export function syncMap({ citizen, theme, map, padding }: SyncOptions): void {
  const { i18n, store, view } = citizen
  const places = findBadgePlaces(citizen.city)

  $effect(() => map()?.setTheme(theme.effective))
  $effect(() => map()?.setPadding(padding()))
  $effect(() => map()?.choose(view.zone, view.sensor))

  // The kind's sensors, then their changes. Read off the feed, not off its state, so that a change costs a change.
  $effect(() => {
    const { kind } = citizen
    const shown = map()
    if (!shown) return
    const drawAll = (): void =>
      shown.setSensors(kind, listSensors(store.live, { kind: kind.id, zone: undefined }))
    untrack(drawAll)
    return store.onChange((change) => {
      if (change.kind !== kind.id) return
      if (change.isSnapshot) drawAll()
      else shown.updateSensors(change.sensors, true)
    })
  })

  $effect(() => {
    const { city, kind } = citizen
    const aggregate = (zone: string) => store.aggregate(kind.id, zone)
    map()?.showBadges(toBadgeContents({ city, kind, places, i18n, aggregate }))
  })

  // What the list opens comes into the map's view. As text, the place changes only when it is another place.
  const sensorPlace = $derived(
    view.sensor === null ? '' : (store.live.sensors.get(view.sensor)?.geometry?.coordinates.join(',') ?? ''),
  )
  $effect(() => {
    const [lon, lat] = sensorPlace.split(',').map(Number)
    if (lon !== undefined && lat !== undefined) map()?.goTo([lon, lat])
  })
  // A link with a position of its own keeps it.
  let known = view.start ? view.zone : null
  $effect(() => {
    const { zone } = view
    const shown = map()
    if (!shown) return
    const bounds = boundsOf(findZoneGeometries(citizen, (id) => id === zone))
    // A permalink to a sensor goes to the sensor, not to its district as well.
    if (bounds && zone !== known && untrack(() => view.sensor) === null) shown.fit(bounds)
    known = zone
  })
}

/** Around the districts that have sensors: a city's bounds are mostly sea and fields. */
export function findSensorBounds(citizen: Citizen): [number, number, number, number] {
  const { city, kind, store } = citizen
  const geometries = findZoneGeometries(citizen, (id) => (store.aggregate(kind.id, id)?.sensors ?? 0) > 0)
  return boundsOf(geometries) ?? city.bounds
}

function findZoneGeometries({ city }: Citizen, isWanted: (id: string) => boolean): Geometry[] {
  return city.zones.filter(({ id }) => isWanted(id)).map(({ geometry }) => geometry as Geometry)
}
