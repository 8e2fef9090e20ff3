import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The built web app, or null when it was never built. */
export function findWebFolder(): string | null {
  const cli = dirname(fileURLToPath(import.meta.url))
  const folder = join(cli, '..', '..', '..', 'web', 'dist')
  return existsSync(join(folder, 'index.html')) ? folder : null
}
