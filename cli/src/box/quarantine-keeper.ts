import { setTimeout as sleep } from 'node:timers/promises'
import { HOUR_MS, toIsoTime, type Clock } from '@pulso/model'
import type { QuarantineRegistry } from '@pulso/stores'
import type { Logger } from 'pino'

export interface QuarantineKeeperOptions {
  registry: QuarantineRegistry
  /** Entries older than this go. */
  keepMs: number
  clock: Clock
  logger: Logger
  everyMs?: number
  /** Entries that go in one transaction, and the pause between two: ingest commits to the same file. */
  step?: number
  pauseMs?: number
}

/** Deletes what has been in quarantine for too long: at the start and every hour. */
export interface QuarantineKeeper {
  start(): void
  stop(): Promise<void>
}

export function createQuarantineKeeper(options: QuarantineKeeperOptions): QuarantineKeeper {
  const { registry, keepMs, clock, logger, everyMs = HOUR_MS, step = 500, pauseMs = 20 } = options
  const stopping = new AbortController()
  const { signal } = stopping
  let running: Promise<void> | undefined

  const purge = async (): Promise<void> => {
    const receivedBeforeMs = clock.now() - keepMs
    let removed = 0
    for (let last = step; last === step && !signal.aborted;) {
      last = await registry.purgeQuarantine({ receivedBeforeMs }, step)
      removed += last
      await sleep(pauseMs, undefined, { signal })
    }
    if (removed > 0)
      logger.info({ removed, before: toIsoTime(receivedBeforeMs) }, 'The quarantine forgot old entries')
  }
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await purge().catch((error: unknown) => {
        if (!signal.aborted) logger.warn({ err: error }, 'Old quarantine entries could not be deleted')
      })
      await sleep(everyMs, undefined, { signal }).catch(() => undefined)
    }
  }

  return {
    start() {
      running ??= run()
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}
