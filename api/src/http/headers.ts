/** Nothing from elsewhere, no inline script or style; MapLibre's worker is a blob. For pages. */
export const PAGE_POLICY = {
  'default-src': ["'self'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'worker-src': ['blob:'],
  'img-src': ["'self'", 'data:', 'blob:'],
  'connect-src': ["'self'"],
  'object-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
}

/** For answers that are no page: nothing in them is to be run, guessed or framed. */
export const BARE_HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

/** May be kept, but is asked after each time; the ETag makes that cheap. True for everything that moves with the city. */
export const REVALIDATE = 'public, no-cache'

/** What scripts of other sites may see beside the few headers that they always may. */
const EXPOSED_HEADERS = 'ETag, Link, Content-Disposition, Retry-After, RateLimit, RateLimit-Policy'

/** Open data: every site's scripts may read it, in nobody's name (a `*` excludes credentials). */
export const PUBLIC_HEADERS = {
  ...BARE_HEADERS,
  'access-control-allow-origin': '*',
  'access-control-expose-headers': EXPOSED_HEADERS,
  'cross-origin-resource-policy': 'cross-origin',
  vary: 'accept-encoding',
}

export const PRIVATE_HEADERS = { ...BARE_HEADERS, 'cross-origin-resource-policy': 'same-origin' }
