/** The shapes of other people's standards, as far as we speak them. */
import { Type, type Static } from 'typebox'

export const ParkApiLot = Type.Object({
  id: Type.String(),
  name: Type.String(),
  coords: Type.Object({ lat: Type.Number(), lng: Type.Number() }),
  total: Type.Integer(),
  free: Type.Integer({ description: 'Means something only where `state` is `open`' }),
  state: Type.Enum(['open', 'closed', 'nodata']),
  forecast: Type.Boolean(),
  region: Type.Optional(Type.String()),
  address: Type.Optional(Type.String()),
  lot_type: Type.Optional(Type.String()),
})
export type ParkApiLot = Static<typeof ParkApiLot>

export const ParkApiCity = Type.Object({
  last_updated: Type.String({ description: 'Time of the newest reading, in UTC' }),
  last_downloaded: Type.String({ description: 'When anything last changed here, in UTC' }),
  data_source: Type.String(),
  lots: Type.Array(ParkApiLot),
})
export type ParkApiCity = Static<typeof ParkApiCity>

export const ParkApiIndex = Type.Object({
  api_version: Type.String(),
  server_version: Type.String(),
  reference: Type.String(),
  cities: Type.Record(Type.String(), Type.String(), { description: 'Names of cities by id' }),
  ...ParkApiCity.properties,
})
export type ParkApiIndex = Static<typeof ParkApiIndex>

export const OgcLink = Type.Object({
  href: Type.String(),
  rel: Type.String(),
  type: Type.String(),
  title: Type.Optional(Type.String()),
})
export type OgcLink = Static<typeof OgcLink>

export const OgcLanding = Type.Object({
  title: Type.String(),
  description: Type.String(),
  links: Type.Array(OgcLink),
})
export type OgcLanding = Static<typeof OgcLanding>

export const OgcConformance = Type.Object({ conformsTo: Type.Array(Type.String()) })

export const OgcCollection = Type.Object({
  id: Type.String(),
  title: Type.String(),
  description: Type.String(),
  itemType: Type.Literal('feature'),
  extent: Type.Object({
    spatial: Type.Object({ bbox: Type.Array(Type.Array(Type.Number())), crs: Type.String() }),
  }),
  crs: Type.Array(Type.String()),
  links: Type.Array(OgcLink),
})
export type OgcCollection = Static<typeof OgcCollection>

export const OgcCollections = Type.Object({
  links: Type.Array(OgcLink),
  collections: Type.Array(OgcCollection),
})
export type OgcCollections = Static<typeof OgcCollections>

const ogcFeature = {
  type: Type.Literal('Feature'),
  id: Type.String(),
  geometry: Type.Unknown({ description: 'A point or an area, or null for a sensor that nobody placed' }),
  properties: Type.Record(Type.String(), Type.Unknown()),
}

export const OgcFeature = Type.Object({ ...ogcFeature, links: Type.Array(OgcLink) })
export type OgcFeature = Static<typeof OgcFeature>

export const OgcItems = Type.Object({
  type: Type.Literal('FeatureCollection'),
  features: Type.Array(Type.Object(ogcFeature)),
  numberMatched: Type.Integer(),
  numberReturned: Type.Integer(),
  links: Type.Array(OgcLink),
})
export type OgcItems = Static<typeof OgcItems>

/** An entity: attributes as objects with `type`, or plain values with `options=keyValues`. */
export const NgsiLdEntity = Type.Object(
  { id: Type.String(), type: Type.String() },
  { additionalProperties: Type.Unknown() },
)
export const NgsiLdEntities = Type.Array(NgsiLdEntity)
export const NgsiLdTypes = Type.Object({
  id: Type.String(),
  type: Type.Literal('EntityTypeList'),
  typeList: Type.Array(Type.String()),
})
export const NgsiLdContext = Type.Object({ '@context': Type.Array(Type.String()) })
