import { Type } from 'typebox'

const MAX_ENTITIES = 1_000
/** Far beyond any city; the pages before are looked at again for each one. */
const MAX_OFFSET = 1_000_000

/** How entities are written. */
const WRITING = {
  attrs: Type.Optional(
    Type.String({
      maxLength: 1_000,
      description: 'These attributes alone, with commas',
      examples: ['name,location'],
    }),
  ),
  options: Type.Optional(
    Type.String({
      maxLength: 100,
      description: '`keyValues` for plain values, `sysAttrs` for createdAt and modifiedAt; with commas',
      examples: ['keyValues'],
    }),
  ),
}

export const ENTITY_QUERY = Type.Object(WRITING)

export const ENTITIES_QUERY = Type.Object({
  type: Type.Optional(
    Type.String({ maxLength: 1_000, description: 'Types, with commas', examples: ['ParkingSpot'] }),
  ),
  id: Type.Optional(
    Type.String({
      maxLength: 10_000,
      description: 'URNs, with commas',
      examples: ['urn:ngsi-ld:ParkingSpot:bay-042'],
    }),
  ),
  q: Type.Optional(
    Type.String({
      maxLength: 1_000,
      description: 'Conditions on attributes: == != < <= > >=, `;` for and, `|` for or',
      examples: ['status=="free"'],
    }),
  ),
  georel: Type.Optional(
    Type.String({
      maxLength: 100,
      description: 'near;maxDistance==metres, near;minDistance==metres, within, intersects or disjoint',
      examples: ['near;maxDistance==500'],
    }),
  ),
  geometry: Type.Optional(
    Type.String({
      maxLength: 20,
      description: 'Point for near, else Polygon or MultiPolygon',
      examples: ['Point'],
    }),
  ),
  coordinates: Type.Optional(
    Type.String({
      maxLength: 12_000,
      description: 'As in GeoJSON: longitude first',
      examples: ['[-3.8,43.46]'],
    }),
  ),
  geoproperty: Type.Optional(
    Type.String({ maxLength: 100, description: 'Only `location`', examples: ['location'] }),
  ),
  limit: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MAX_ENTITIES,
      default: 100,
      description: 'How many at most',
      examples: [100],
    }),
  ),
  offset: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MAX_OFFSET,
      default: 0,
      description: 'How many to pass over',
      examples: [0],
    }),
  ),
  count: Type.Optional(
    Type.Boolean({ description: 'Say in NGSILD-Results-Count how many there are in all', examples: [true] }),
  ),
  ...WRITING,
})
