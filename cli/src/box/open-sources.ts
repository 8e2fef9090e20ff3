import { join } from 'node:path'
import type { MessagePort } from 'node:worker_threads'
import type { SourceSettings, SourceStatus } from '@pulso/ingest'
import type { AppError } from '@pulso/model'
import type { Config } from '../config/config.ts'
import type { SourceThreadData, SourceThreadMethods } from './source-thread.ts'
import { spawnThread, type ThreadMethods } from './thread.ts'

/** The external brokers of the box, if it has any. */
export interface Sources extends ThreadMethods {
  status(): Promise<SourceStatus[]>
}

/** Without sources there is no thread. Stopped with `parts`. */
export async function openSources(
  parts: AsyncDisposableStack,
  options: {
    config: Config
    sources: readonly SourceSettings[]
    journalPort: () => MessagePort
    onFailure(error: AppError): void
  },
): Promise<Sources> {
  const { config, sources, journalPort, onFailure } = options
  if (sources.length === 0) return { status: async () => [], metrics: async () => [] }
  const { client, end } = spawnThread<SourceThreadMethods, SourceThreadData>({
    file: new URL('./source-thread.ts', import.meta.url),
    data: { config, sources, folder: join(config.dataDir, 'sources') },
    onFailure,
  })
  parts.defer(() => end())
  await client.start(journalPort())
  parts.defer(() => client.stop())
  return { status: () => client.status(), metrics: () => client.metrics() }
}
