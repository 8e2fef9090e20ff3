import type { Kinds } from '@pulso/model'
import { openDuckdbReadings, openInfluxReadings, type Readings } from '@pulso/stores'
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import { readingsFile } from './files.ts'

/** The readings store that the configuration names. */
export function openReadings({
  config,
  kinds,
  logger,
}: {
  config: Config
  kinds: Kinds
  logger: Logger
}): Promise<Readings> {
  const { readings } = config
  if (readings.driver === 'duckdb') return openDuckdbReadings({ file: readingsFile(config.dataDir), kinds })
  return openInfluxReadings({
    ...readings,
    kinds,
    onBeyondRetention: (detail) =>
      logger.warn({ detail }, 'InfluxDB dropped readings older than its bucket keeps'),
  })
}
