import { systemClock } from '@pulso/model'
import { openSqliteRegistry } from '@pulso/stores'
import { createAdministration, type Administration } from '../administration.ts'
import type { Config } from '../config/config.ts'
import { loadKinds } from '../config/load.ts'
import { registryFile } from './files.ts'
import { lockFolder } from './lock.ts'

/** Does something with the administration of a box that does not run, and lets none start meanwhile. */
export async function withStoppedBox<T>(
  config: Config,
  action: (administration: Administration) => Promise<T>,
): Promise<T> {
  await using stack = new AsyncDisposableStack()
  const lock = lockFolder(config.dataDir)
  stack.defer(() => lock.release())
  const registry = await openSqliteRegistry({ file: registryFile(config.dataDir) })
  stack.defer(() => registry.close())
  const kinds = await loadKinds(config.kindsDir)
  return await action(createAdministration({ registry, kinds, clock: systemClock }))
}
