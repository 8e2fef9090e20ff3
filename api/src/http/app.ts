import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyTypeProvider,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { Static, TSchema } from 'typebox'

/** Lets handlers see the types of their route's schemas. */
export interface SchemaTypes extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown
  serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown
}

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  SchemaTypes
>

/** What is worked out of a route's own words once, so that a request finds it ready. */
export interface SharedWithRoute {
  isCounted: boolean
  changesSomething: boolean
  headers: Readonly<Record<string, string>>
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Open data: any site may read it, it carries an ETag. */
    isPublic?: boolean
    /** Its answer never ends, so how long it takes says nothing. */
    isStream?: boolean
    /** Its bodies come ready, with their ETag and compressed forms: see `prepared.ts`. */
    isPrepared?: boolean
    /** How long its answer may be kept, as Cache-Control says it. */
    cacheControl?: string
    /** Asking for it is not counted. */
    rateLimit?: false
    /** Parameters that its schema does not name are let through. */
    takesAnyParameter?: boolean
    /** Worked out of all this: see `every-route.ts`. */
    shared?: SharedWithRoute
  }
}
