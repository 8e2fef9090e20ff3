import type { CityView, KindView, ZoneAggregate } from '@pulso/model'
import type { Geometry } from 'geojson'
import { inkOn } from '../shared/colour.ts'
import type { I18n } from '../shared/i18n.svelte.ts'
import { findLabelPoint } from './map/basemap.ts'
import type { BadgeContent } from './map/zone-badges.ts'
import type { CitizenKey } from './messages.ts'
import { toBarShares, toHeadline } from './summary.ts'

/** Where each district's badge stands. It takes a moment to find, so it is done once per city. */
export function findBadgePlaces(city: CityView): ReadonlyMap<string, [number, number]> {
  return new Map(
    city.zones.flatMap(({ id, geometry }) => {
      const point = findLabelPoint(geometry as Geometry)
      return point ? [[id, point] as const] : []
    }),
  )
}

export interface BadgeOptions {
  city: CityView
  kind: KindView
  places: ReadonlyMap<string, [number, number]>
  aggregate: (zone: string) => ZoneAggregate | undefined
  i18n: I18n<CitizenKey>
}

/** What the badges of a kind say: the same headline as the list's row. */
export function toBadgeContents({ city, kind, places, aggregate, i18n }: BadgeOptions): BadgeContent[] {
  return city.zones.flatMap(({ id, name }): BadgeContent[] => {
    const sum = aggregate(id)
    const lngLat = places.get(id)
    const headline = toHeadline(kind, sum)
    if (!sum || !lngLat || headline.type === 'nothing') return []
    const base = { zone: id, name, lngLat, weight: sum.sensors }
    if (headline.type === 'state') {
      const { colour, symbol, title } = headline.state
      const main = i18n.text(title)
      const label = i18n.t('map.badge', { zone: name, text: main })
      return [{ ...base, main, rest: '', label, sign: { type: 'disc', colour, ink: inkOn(colour), symbol } }]
    }
    const part = headline.part === null ? '–' : i18n.format.number(headline.part)
    const title = i18n.text(headline.figure.title)
    const whole = headline.whole === null ? null : i18n.format.number(headline.whole)
    const text = whole === null ? `${part} ${title}` : i18n.t('headline.share', { part, whole, title })
    return [
      {
        ...base,
        main: part,
        rest: whole === null ? '' : `/${whole}`,
        label: i18n.t('map.badge', { zone: name, text }),
        sign: {
          type: 'ring',
          shares: toBarShares(kind, sum).map(({ state, share }) => ({ colour: state.colour, share })),
        },
      },
    ]
  })
}
