import type { City, OgcLanding, OgcLink } from '@pulso/model'
import {
  OgcCollection as CollectionSchema,
  OgcCollections as CollectionsSchema,
  OgcConformance as ConformanceSchema,
  OgcLanding as LandingSchema,
} from '@pulso/model/schemas'
import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'
import { toBaseUrl } from '../http/base-url.ts'
import {
  CONFORMANCE_CLASSES,
  toCollections,
  toLandingLinks,
  ZONES_COLLECTION,
} from '../standards/ogc/collections.ts'
import { createOgcStore } from '../standards/ogc/store.ts'
import { answerAs, JSON_TYPE, problems } from './common.ts'

const EXAMPLE_URL = 'https://city.example'

export function ogcRoutes(app: App, { options: { city, kinds, clock }, current }: ApiContext): void {
  const exampleCollections = toCollections({ city, kinds }, EXAMPLE_URL)
  const store = createOgcStore({ city, kinds, current, clock })

  app.get(
    '/ogc',
    {
      config: { isPublic: true },
      schema: {
        tags: ['standards'],
        summary: 'OGC API Features: where to begin',
        description:
          'The landing page of part 1 of the standard, for QGIS and other programs that draw maps.',
        response: {
          200: answerAs(JSON_TYPE, {
            schema: LandingSchema,
            description: 'Links to everything else',
            example: toLanding(city, EXAMPLE_URL),
          }),
          ...problems(429),
        },
      },
    },
    (request) => toLanding(city, toBaseUrl(request)),
  )

  app.get(
    '/ogc/conformance',
    {
      config: { isPublic: true },
      schema: {
        tags: ['standards'],
        summary: 'OGC API Features: what of the standard holds here',
        description: 'Addresses of conformance classes.',
        response: {
          200: answerAs(JSON_TYPE, {
            schema: ConformanceSchema,
            description: 'The classes',
            example: { conformsTo: CONFORMANCE_CLASSES },
          }),
          ...problems(429),
        },
      },
    },
    () => ({ conformsTo: CONFORMANCE_CLASSES }),
  )

  app.get(
    '/ogc/collections',
    {
      config: { isPublic: true },
      schema: {
        tags: ['standards'],
        summary: 'OGC API Features: the collections',
        description: `One for each kind of sensors, and \`${ZONES_COLLECTION}\`.`,
        response: {
          200: answerAs(JSON_TYPE, {
            schema: CollectionsSchema,
            description: 'The collections',
            example: { links: [toSelf(`${EXAMPLE_URL}/ogc/collections`)], collections: exampleCollections },
          }),
          ...problems(429),
        },
      },
    },
    (request) => {
      const baseUrl = toBaseUrl(request)
      return {
        links: [toSelf(`${baseUrl}/ogc/collections`)],
        collections: toCollections({ city, kinds }, baseUrl),
      }
    },
  )

  app.get(
    '/ogc/collections/:collection',
    {
      config: { isPublic: true },
      schema: {
        tags: ['standards'],
        summary: 'OGC API Features: one collection',
        description: 'Its extent and where its features are.',
        params: Type.Object({ collection: collectionParameter() }),
        response: {
          200: answerAs(JSON_TYPE, {
            schema: CollectionSchema,
            description: 'The collection',
            example: store.findCollection(ZONES_COLLECTION, EXAMPLE_URL),
          }),
          ...problems(404, 429),
        },
      },
    },
    (request) => store.findCollection(request.params.collection, toBaseUrl(request)),
  )
}

/** The parameter that every route below a collection takes. */
export function collectionParameter() {
  return Type.String({ maxLength: 100, description: 'The collection’s id', examples: [ZONES_COLLECTION] })
}

function toLanding(city: City, baseUrl: string): OgcLanding {
  return {
    title: `${city.name}: sensors`,
    description: `What the sensors of ${city.name} measure right now, and the sums by zone`,
    links: toLandingLinks(baseUrl),
  }
}

function toSelf(href: string): OgcLink {
  return { rel: 'self', href, type: JSON_TYPE }
}
