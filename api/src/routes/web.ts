import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { ApiContext } from '../context.ts'
import type { App } from '../http/app.ts'

const NOT_BUILT = `Pulso is running, but its web app is not built.

  npm run build     builds it; restart Pulso afterwards
  npm start         builds it when needed and starts the city in a box

The data is here already: /docs describes the HTTP interface, /api/v1/sensors lists the sensors.
`

/** The built web app: the citizens' page, the operators', and their assets, whose names change with their content. */
export function webRoutes(app: App, { options: { webFolder } }: ApiContext): void {
  if (webFolder === null || !existsSync(join(webFolder, 'index.html'))) {
    app.get('/', { config: { cacheControl: 'no-store' } }, (_request, reply) =>
      reply.type('text/plain; charset=utf-8').send(NOT_BUILT),
    )
    return
  }
  void app.register(fastifyStatic, {
    root: webFolder,
    cacheControl: false,
    preCompressed: true,
    // The build's own notes are nobody's business.
    dotfiles: 'ignore',
    setHeaders(reply, path) {
      const isHashed = path.startsWith(join(webFolder, 'assets'))
      reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
  for (const path of ['/ops', '/ops/'])
    app.get(path, { config: { rateLimit: false } }, (_request, reply) => reply.sendFile('ops.html'))
}
