import { messageOf, type Kinds } from '@pulso/model'
import type { IngestRegistry, Readings } from '@pulso/stores'
import { openDuckdbReadings, openInfluxReadings } from '@pulso/stores/readings'
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import { readingsFile } from './files.ts'

/** The readings store that the configuration names. */
export async function openReadings({
  config,
  kinds,
  registry,
  logger,
}: {
  config: Config
  kinds: Kinds
  registry: IngestRegistry
  logger: Logger
}): Promise<Readings> {
  const { readings } = config
  if (readings.driver === 'duckdb') {
    const mending = {
      committedPosition: () => registry.ingestPosition(),
      onMended: (cut: object) =>
        logger.warn(
          cut,
          'The end of the readings’ log was torn and is cut off; the journal still holds what it said',
        ),
    }
    return openDuckdbReadings({ file: readingsFile(config.dataDir), kinds, mending })
  }
  const opened = await openInfluxReadings({
    ...readings,
    kinds,
    retentionMs: config.keepMs,
    // The journal takes what arrives meanwhile: a power cut must not shut the front door for longer than it lasts.
    mayBeAway: true,
    onBeyondRetention: (detail) =>
      logger.warn({ detail }, 'InfluxDB dropped readings older than its bucket keeps'),
  })
  await opened.check().catch((error: unknown) => {
    logger.warn(
      { url: readings.url, reason: messageOf(error) },
      'InfluxDB is away; the journal keeps what arrives',
    )
  })
  return opened
}
