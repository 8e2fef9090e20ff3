import type { MessagePort } from 'node:worker_threads'
import { systemClock } from '@pulso/model'
import { createSqliteJournalWriter, type Registry } from '@pulso/stores'
import type { Config } from '../config/config.ts'
import { createLogger } from '../logger.ts'
import type { IngestThreadMethods } from './ingest-thread.ts'
import { createQuarantineDesk, type QuarantineDesk } from './quarantine-desk.ts'
import { createQuarantineKeeper } from './quarantine-keeper.ts'
import { createReplay } from './quarantine-replay.ts'
import type { Thread } from './thread.ts'

/** The running box's quarantine: replayed and deleted on demand, forgotten by age. Its parts end with `parts`. */
export function openQuarantine(
  parts: AsyncDisposableStack,
  {
    config,
    registry,
    ingest,
    journalPort,
  }: { config: Config; registry: Registry; ingest: Thread<IngestThreadMethods>; journalPort: MessagePort },
): QuarantineDesk {
  const journal = createSqliteJournalWriter({ port: journalPort })
  parts.defer(() => journal.close())
  const keeper = createQuarantineKeeper({
    registry,
    keepMs: config.quarantineKeepMs,
    clock: systemClock,
    logger: createLogger(config.logLevel, 'quarantine'),
  })
  keeper.start()
  parts.defer(() => keeper.stop())
  const progress = async () => {
    const [{ position }, status] = await Promise.all([ingest.client.status(), ingest.client.journalStatus()])
    return { position, journal: status }
  }
  return createQuarantineDesk(registry, createReplay({ registry, journal, progress }))
}
