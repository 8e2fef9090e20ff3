import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import type { App } from '../http/app.ts'
import { toOpenapi31 } from '../http/openapi.ts'
import { prepareBody, sendPrepared, type PreparedBody } from '../http/prepared.ts'
import { JSON_TYPE } from './common.ts'

const DESCRIPTION = `The city's sensors, live and past, as open data.

Times are ISO 8601 in UTC, coordinates WGS 84 with longitude first. Errors are \`application/problem+json\` (RFC 9457)
with a stable \`code\`. Answers carry an ETag: ask again with \`If-None-Match\` and an unchanged one is not sent twice.
Any site may read the public routes; the operators' need a session.`

/** Gathers the schemas of every route registered behind it. */
export function addOpenapi(app: App): void {
  void app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Pulso',
        version: '1',
        description: DESCRIPTION,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'This installation' }],
      tags: [
        { name: 'city', description: 'The city, its zones and how they stand' },
        { name: 'sensors', description: 'Single sensors, now and in the past' },
        { name: 'live', description: 'What changes, as it changes' },
        { name: 'operators', description: 'For the people who run the city; needs a session' },
        { name: 'operation', description: 'For watchdogs and monitoring' },
      ],
      components: {
        securitySchemes: {
          session: { type: 'apiKey', in: 'cookie', name: 'pulso_session', description: 'Set by the login' },
        },
      },
    },
    hideUntagged: true,
    // Every shared shape has a name.
    refResolver: { buildLocalReference: ({ $id }) => (typeof $id === 'string' ? $id : 'unnamed') },
    transformObject: (document) =>
      'openapiObject' in document ? toOpenapi31(document.openapiObject) : document.swaggerObject,
  })
}

/** The document is the same until the next start, and its size makes it worth keeping ready. */
export function openapiRoute(app: App): void {
  let document: PreparedBody | undefined
  app.get(
    '/openapi.json',
    { config: { isPublic: true, isPrepared: true }, compress: false, schema: { hide: true } },
    (request, reply) => {
      document ??= prepareBody(JSON.stringify(app.swagger()), JSON_TYPE)
      return sendPrepared(request, reply, document)
    },
  )
}

export function docsRoutes(app: App): void {
  void app.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    logLevel: 'warn',
    theme: { title: 'Pulso: HTTP interface' },
    uiConfig: {
      deepLinking: true,
      docExpansion: 'list',
      tryItOutEnabled: true,
      // The validator's badge would be a request to a third party.
      validatorUrl: null,
      // Without the bar that explores other addresses: the policy refuses them.
      layout: 'BaseLayout',
    },
  })
}
