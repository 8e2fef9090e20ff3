import { loadMemory } from '@pulso/ingest'
import { openSqliteRegistry, type RpcClient } from '@pulso/stores'
import { Registry as MetricsRegistry } from 'prom-client'
import { finishRestore } from '../backup/install.ts'
import type { Config } from '../config/config.ts'
import { loadCity, loadKinds } from '../config/load.ts'
import { createLogger } from '../logger.ts'
import { checkStores } from './check-stores.ts'
import { registryFile } from './files.ts'
import { lockFolder } from './lock.ts'
import { openReadings } from './open-readings.ts'
import { openRoller } from './open-roller.ts'
import { createRebuildDesk, type RebuildDesk } from './rebuild-desk.ts'

/** Lets aggregates be worked out on the folder of a box that does not run, and lets none start meanwhile. */
export async function withStoppedRoller<T>(
  config: Config,
  action: (desk: RpcClient<RebuildDesk>) => Promise<T>,
): Promise<T> {
  await using stack = new AsyncDisposableStack()
  const lock = lockFolder(config.dataDir)
  stack.defer(() => lock.release())
  await finishRestore(config.dataDir)
  checkStores({ dataDir: config.dataDir, acceptLoss: false })
  const registry = await openSqliteRegistry({ file: registryFile(config.dataDir) })
  stack.defer(() => registry.close())
  const [kinds, { zones, timeZone }] = await Promise.all([
    loadKinds(config.kindsDir),
    loadCity(config.cityFile),
  ])
  const logger = createLogger(config.logLevel, 'rebuild')
  const readings = await openReadings({ config, kinds, registry, logger })
  stack.defer(() => readings.close())
  const places = { zones, timeZone }
  const metrics = new MetricsRegistry()
  const roller = await openRoller({ config, places, kinds, readings, registry, logger, metrics })
  stack.defer(() => roller.stop())
  roller.watch.know((await loadMemory(registry)).sensors.values())
  roller.start()
  return await action(createRebuildDesk(async () => roller))
}
