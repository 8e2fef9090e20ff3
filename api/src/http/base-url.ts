import type { FastifyRequest } from 'fastify'

const HOST = /^[a-z0-9.-]+(:\d{1,5})?$|^\[[0-9a-f:.]+\](:\d{1,5})?$/i

/**
 * How the client reached us, like `https://city.example`, for links that programs follow from elsewhere. Without a
 * plausible host it is empty, and the links are relative to the server.
 */
export function toBaseUrl(request: FastifyRequest): string {
  const { protocol, host } = request
  return HOST.test(host) ? `${protocol}://${host}` : ''
}
