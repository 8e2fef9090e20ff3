import { existsSync } from 'node:fs'
import { AppError } from '@pulso/model'
import { journalFile, readingsFile, registryFile } from './files.ts'

export interface CheckStoresOptions {
  dataDir: string
  /** Go on without the registry. */
  acceptLoss: boolean
}

/**
 * Before the stores are opened, which would create what is missing: a city that has lost one of its files must not
 * pass for a new one.
 * @returns what is lost with the files that can be done without, should this not be a new city
 * @throws AppError `registry-missing`
 */
export function checkStores({ dataDir, acceptLoss }: CheckStoresOptions): string[] {
  const [registry, journal, readings] = [registryFile(dataDir), journalFile(dataDir), readingsFile(dataDir)]
  const others = [journal, readings].filter((file) => existsSync(file))
  if (existsSync(registry)) {
    return existsSync(journal)
      ? []
      : [`${journal} is missing: what was acknowledged and not yet stored is lost`]
  }
  if (others.length === 0) return []
  const lost = `${registry} is missing, and with it every sensor, credential and operator, while ${others.join(' and ')} is there`
  if (acceptLoss) return [lost]
  throw new AppError(
    'registry-missing',
    `${lost}. Put it back, or restore a backup (pulso restore); or begin with an empty one: pulso start --accept-loss`,
  )
}
