import { AppError } from '@pulso/model'
import type { FastifyRequest } from 'fastify'

/**
 * For requests that change something: another site's page must not act in an operator's name. Browsers say where a
 * request comes from; a program that sends neither header is not a browser and carries no operator's cookie by accident.
 * @throws AppError `cross-origin` (403)
 */
export function refuseCrossOrigin(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site']
  const { origin } = request.headers
  const isForeign =
    (site !== undefined && site !== 'same-origin' && site !== 'none') ||
    (origin !== undefined && !isOwnOrigin(origin, request.host))
  if (isForeign)
    throw new AppError('cross-origin', 'This address may be called from its own pages only', { status: 403 })
}

function isOwnOrigin(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase()
}
