import type { City, Kinds, OgcCollection, OgcLink } from '@pulso/model'

export const CRS84 = 'http://www.opengis.net/def/crs/OGC/1.3/CRS84'

/** The areas of the city, beside its sensors' kinds. */
export const ZONES_COLLECTION = 'zones'

/** What is true of this service, no more: there is no HTML, and the definition is OpenAPI 3.1, which has no class yet. */
export const CONFORMANCE_CLASSES = [
  'http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core',
  'http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson',
]

export function toLandingLinks(baseUrl: string): OgcLink[] {
  return [
    { rel: 'self', href: `${baseUrl}/ogc`, type: 'application/json', title: 'This page' },
    {
      rel: 'service-desc',
      href: `${baseUrl}/openapi.json`,
      type: 'application/vnd.oai.openapi+json;version=3.1',
      title: 'The interface as OpenAPI',
    },
    { rel: 'service-doc', href: `${baseUrl}/docs`, type: 'text/html', title: 'The interface for people' },
    { rel: 'conformance', href: `${baseUrl}/ogc/conformance`, type: 'application/json' },
    { rel: 'data', href: `${baseUrl}/ogc/collections`, type: 'application/json' },
  ]
}

export function toCollections(
  { city, kinds }: { city: City; kinds: Kinds },
  baseUrl: string,
): OgcCollection[] {
  const sensors = [...kinds.values()].map((kind) => ({
    id: kind.id,
    title: kind.plural.en,
    description: `${kind.plural.en} of ${city.name} with their newest values and how they stand`,
  }))
  const zones = {
    id: ZONES_COLLECTION,
    title: 'Zones',
    description: `The zones of ${city.name} with the sums of their sensors by kind`,
  }
  return [...sensors, zones].map((collection) => ({
    ...collection,
    itemType: 'feature',
    extent: { spatial: { bbox: [[...city.bounds]], crs: CRS84 } },
    crs: [CRS84],
    links: toCollectionLinks(collection, baseUrl),
  }))
}

function toCollectionLinks({ id, title }: { id: string; title: string }, baseUrl: string): OgcLink[] {
  const href = `${baseUrl}/ogc/collections/${id}`
  return [
    { rel: 'self', href, type: 'application/json' },
    { rel: 'items', href: `${href}/items`, type: 'application/geo+json', title },
  ]
}
