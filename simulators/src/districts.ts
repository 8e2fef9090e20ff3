import {
  boundsOf,
  createZoneIndex,
  toPolygons,
  type City,
  type LonLat,
  type Position,
  type SchematicFeature,
} from '@pulso/model'

/** What people go to a district for: it sets the rhythm of its bays, car parks and traffic. */
export const PROFILES = ['centre', 'office', 'residential', 'leisure', 'industrial'] as const
export type Profile = (typeof PROFILES)[number]

export interface Districts {
  /** Where the city's heart is, `[lon, lat]`. */
  centre: LonLat
  zoneIds: readonly string[]
  zoneOf(position: Position): string | null
  /** Outside all zones people live. */
  profileOf(position: Position): Profile
}

/** Words of district names, in the languages of the cities that we have seen. A hint is enough: it is a simulation. */
const NAME_HINTS: readonly [Profile, RegExp][] = [
  [
    'centre',
    /\b(centro|centre|center|city|ensanche|casco|altstadt|innenstadt|old town|eixample|ciutat vella)\b/i,
  ],
  ['leisure', /(playa|sardinero|beach|plage|strand|magdalena|lido|platja|barceloneta)/i],
  [
    'industrial',
    /(pol[íi]gono|industri|\bpuerto\b|\bport\b|harbour|hafen|mercasantander|zona franca|gewerbe)/i,
  ],
  ['office', /(universi|parque cient|tecnol|campus|business|hospital|valdecilla|b[üu]ro|22@)/i],
]

/** Recognises each zone's profile: by its name, else by what lies in it, else by how near to the centre it is. */
export function createDistricts(city: City): Districts {
  const features = city.basemap && 'schematic' in city.basemap ? city.basemap.schematic : []
  const index = createZoneIndex(city.zones)
  const centres = new Map(city.zones.map((zone) => [zone.id, middleOf(toPolygons(zone.geometry).flat(2))]))
  const centre = findCentre(city, centres, features)
  const nearest = [...centres].sort(
    ([, a], [, b]) => squaredDegrees(a, centre) - squaredDegrees(b, centre),
  )[0]
  const beaches = features
    .filter(({ properties }) => properties.layer === 'beach')
    .map(({ geometry }) => middleOf(pointsOf(geometry.coordinates)))

  const profiles = new Map<string, Profile>()
  for (const zone of city.zones) {
    const hinted = NAME_HINTS.find(([, pattern]) => pattern.test(zone.name))?.[0]
    const hasBeach = beaches.some(([lon, lat]) => index.find({ lon, lat }) === zone.id)
    const byPlace = zone.id === nearest?.[0] ? 'centre' : hasBeach ? 'leisure' : 'residential'
    profiles.set(zone.id, hinted ?? byPlace)
  }
  return {
    centre,
    zoneIds: city.zones.map(({ id }) => id),
    zoneOf: (position) => index.find(position),
    profileOf: (position) => profiles.get(index.find(position) ?? '') ?? 'residential',
  }
}

/** The zone that calls itself the centre, else where the streets are densest on average, else the middle of the map. */
function findCentre(
  city: City,
  centres: ReadonlyMap<string, LonLat>,
  features: readonly SchematicFeature[],
): LonLat {
  const pattern = NAME_HINTS[0]?.[1]
  const named = city.zones.find(({ name }) => pattern?.test(name))
  const ofName = named && centres.get(named.id)
  if (ofName) return ofName
  const streets = features.filter(({ properties }) => properties.layer === 'street')
  const points = streets.flatMap(({ geometry }) => pointsOf(geometry.coordinates))
  if (points.length === 0) points.push(...centres.values())
  const [west, south, east, north] = city.bounds
  return points.length > 0 ? meanOf(points) : [(west + east) / 2, (south + north) / 2]
}

/** The `[lon, lat]` pairs of any geometry's coordinates. */
function pointsOf(coordinates: unknown): LonLat[] {
  if (!Array.isArray(coordinates)) return []
  if (typeof coordinates[0] === 'number') return [coordinates as unknown as LonLat]
  return coordinates.flatMap(pointsOf)
}

function middleOf(points: readonly LonLat[]): LonLat {
  const [west, south, east, north] = boundsOf(points)
  return [(west + east) / 2, (south + north) / 2]
}

function meanOf(points: readonly LonLat[]): LonLat {
  let [lon, lat] = [0, 0]
  for (const point of points) {
    lon += point[0]
    lat += point[1]
  }
  return [lon / points.length, lat / points.length]
}

function squaredDegrees(a: LonLat, b: LonLat): number {
  return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2
}
