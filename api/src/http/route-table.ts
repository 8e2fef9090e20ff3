import type { RouteOptions } from 'fastify'

/** What may be asked of an address. */
export interface RouteMethods {
  /** In capitals, as an `Allow` header lists them. */
  methods: string[]
  /** Whether other sites' scripts may read it. */
  isPublic: boolean
}

export interface RouteTable {
  add(route: RouteOptions): void
  /** @returns undefined when nothing is there under any method */
  find(path: string): RouteMethods | undefined
}

/** Which methods an address knows: for answers to a method that it does not know, and to preflights. */
export function createRouteTable(): RouteTable {
  const byUrl = new Map<string, RouteMethods & { pattern: RegExp }>()
  return {
    add({ url, method, config }) {
      // A wildcard stands for files, of which nobody knows here whether they are there.
      if (url.includes('*')) return
      const known = byUrl.get(url) ?? { methods: [], isPublic: false, pattern: toPattern(url) }
      known.methods.push(...[method].flat().filter((name) => !known.methods.includes(name)))
      known.isPublic ||= config?.isPublic === true
      byUrl.set(url, known)
    },
    find(path) {
      for (const { pattern, methods, isPublic } of byUrl.values())
        if (pattern.test(path)) return { methods, isPublic }
      return undefined
    },
  }
}

/** `/a/:id/b` and `/a/:z/:y.mvt`: a name stands for anything within its part of the path. */
function toPattern(url: string): RegExp {
  const parts = url.split(/(:[A-Za-z_]\w*(?:\([^/]*\))?)/)
  const source = parts.map((part) => (part.startsWith(':') ? '[^/]+' : RegExp.escape(part)))
  return new RegExp(`^${source.join('')}$`)
}
