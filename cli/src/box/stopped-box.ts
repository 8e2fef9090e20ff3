import { systemClock } from '@pulso/model'
import { openSqliteRegistry } from '@pulso/stores'
import { createAdministration, type Administration } from '../administration.ts'
import { finishRestore } from '../backup/install.ts'
import type { Config } from '../config/config.ts'
import { loadCodecNames, loadKinds } from '../config/load.ts'
import { checkStores } from './check-stores.ts'
import { registryFile } from './files.ts'
import { lockFolder } from './lock.ts'
import { createQuarantineDesk, type QuarantineDesk } from './quarantine-desk.ts'

/** Does something with the administration of a box that does not run, and lets none start meanwhile. */
export async function withStoppedBox<T>(
  config: Config,
  action: (administration: Administration & QuarantineDesk) => Promise<T>,
): Promise<T> {
  await using stack = new AsyncDisposableStack()
  const lock = lockFolder(config.dataDir)
  stack.defer(() => lock.release())
  await finishRestore(config.dataDir)
  checkStores({ dataDir: config.dataDir, acceptLoss: false })
  const registry = await openSqliteRegistry({ file: registryFile(config.dataDir) })
  stack.defer(() => registry.close())
  const kinds = await loadKinds(config.kindsDir)
  const administration = createAdministration({
    registry,
    kinds,
    loadCodecNames: () => loadCodecNames(config.codecsDir),
    clock: systemClock,
  })
  return await action({ ...administration, ...createQuarantineDesk(registry) })
}
