import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import { AppError } from './errors.ts'
import { LANGUAGES } from './text.ts'
import { boundsOf, isWithin, toPolygons, type LonLat, type Zone } from './zones.ts'

const Degrees = Type.Number({ minimum: -180, maximum: 180 })

const ZoneSchema = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z0-9-]{1,64}$' }),
    name: Type.String({ minLength: 1, maxLength: 80 }),
    geometry: Type.Object({
      type: Type.Union([Type.Literal('Polygon'), Type.Literal('MultiPolygon')]),
      coordinates: Type.Array(Type.Unknown(), { minItems: 1 }),
    }),
  },
  { additionalProperties: false },
)

/** What the schematic basemap is drawn from, in painting order. */
export const SCHEMATIC_LAYERS = [
  'land',
  'water',
  'beach',
  'park',
  'harbour',
  'rail',
  'street',
  'place',
] as const

const SchematicFeature = Type.Object({
  type: Type.Literal('Feature'),
  properties: Type.Object({
    layer: Type.Enum([...SCHEMATIC_LAYERS]),
    name: Type.Optional(Type.String({ maxLength: 80 })),
    /** Streets: how wide to draw them. */
    class: Type.Optional(Type.Enum(['motorway', 'primary', 'secondary', 'residential'])),
  }),
  geometry: Type.Object({
    type: Type.Enum(['Point', 'LineString', 'Polygon', 'MultiPolygon']),
    coordinates: Type.Array(Type.Unknown(), { minItems: 1 }),
  }),
})

/** The city file: everything that makes this installation this city. */
export const CitySchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    name: Type.String({ minLength: 1, maxLength: 80 }),
    timeZone: Type.String({ description: 'IANA name: days are the city’s days' }),
    bounds: Type.Tuple([Degrees, Degrees, Degrees, Degrees], { description: 'west, south, east, north' }),
    languages: Type.Array(Type.Enum([...LANGUAGES]), { minItems: 1 }),
    zones: Type.Array(ZoneSchema, { maxItems: 1_000 }),
    attribution: Type.Optional(Type.String({ maxLength: 200 })),
    basemap: Type.Optional(
      Type.Union([
        Type.Object({ pmtiles: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
        Type.Object(
          { schematic: Type.Array(SchematicFeature, { maxItems: 5_000 }) },
          { additionalProperties: false },
        ),
      ]),
    ),
  },
  { additionalProperties: false },
)

export type City = Omit<Static<typeof CitySchema>, 'zones'> & { zones: Zone[] }
export type SchematicFeature = Static<typeof SchematicFeature>

/**
 * A city file's content, checked.
 * @param raw the parsed JSON
 * @param source where it came from, for the message
 * @throws AppError `invalid-city` naming every mistake
 */
export function parseCity(raw: unknown, source: string): City {
  const mistakes = [...Value.Errors(CitySchema, raw)]
    // These two only repeat what the error beside them says.
    .filter(({ keyword }) => keyword !== 'anyOf' && keyword !== 'boolean')
    .map(({ instancePath, message, params }) => `${instancePath || '/'}: ${message}${namesOf(params)}`)
  if (mistakes.length === 0) mistakes.push(...findContradictions(raw as City))
  if (mistakes.length > 0) {
    const list = mistakes.slice(0, 20).map((mistake) => `\n  ${mistake}`)
    const rest = mistakes.length > 20 ? `\n  … and ${mistakes.length - 20} more` : ''
    throw new AppError('invalid-city', `The city file ${source} has mistakes:${list.join('')}${rest}`, {
      details: mistakes,
    })
  }
  return raw as City
}

function namesOf(params: object): string {
  const names = 'additionalProperties' in params ? params.additionalProperties : undefined
  return Array.isArray(names) ? `: ${names.join(', ')}` : ''
}

/** What a schema cannot see. */
function findContradictions(city: City): string[] {
  const mistakes: string[] = []
  const [west, south, east, north] = city.bounds
  if (!(west < east && south < north))
    mistakes.push('/bounds: must be west, south, east, north with west < east and south < north')
  if (!isTimeZone(city.timeZone))
    mistakes.push(`/timeZone: '${city.timeZone}' is not an IANA time zone, like Europe/Madrid`)

  const seen = new Set<string>()
  city.zones.forEach((zone, index) => {
    if (seen.has(zone.id)) mistakes.push(`/zones/${index}/id: '${zone.id}' is there twice`)
    seen.add(zone.id)
    mistakes.push(...findRingMistakes(zone, `/zones/${index}/geometry/coordinates`, city))
  })
  return mistakes
}

function findRingMistakes(zone: Zone, path: string, city: City): string[] {
  const rings = toPolygons(zone.geometry).flat()
  if (!rings.every(isRing)) return [`${path}: rings must be closed lists of at least four [lon, lat] numbers`]
  const [west, south, east, north] = boundsOf(rings.flat())
  const touches = isWithin(city.bounds, west, south) || isWithin(city.bounds, east, north)
  return touches ? [] : [`${path}: the zone lies outside the city's bounds (are lon and lat swapped?)`]
}

function isRing(ring: unknown): ring is LonLat[] {
  if (!Array.isArray(ring) || ring.length < 4) return false
  const arePoints = ring.every(
    (point) => Array.isArray(point) && typeof point[0] === 'number' && typeof point[1] === 'number',
  )
  const [first, last] = [ring[0] as LonLat, ring.at(-1) as LonLat]
  return arePoints && first[0] === last[0] && first[1] === last[1]
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
