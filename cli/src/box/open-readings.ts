import type { Kinds } from '@pulso/model'
import { openDuckdbReadings, openInfluxReadings, type Readings } from '@pulso/stores'
import type { Config } from '../config/config.ts'
import { readingsFile } from './files.ts'

/** The readings store that the configuration names. */
export function openReadings({ config, kinds }: { config: Config; kinds: Kinds }): Promise<Readings> {
  const { readings } = config
  if (readings.driver === 'duckdb') return openDuckdbReadings({ file: readingsFile(config.dataDir), kinds })
  return openInfluxReadings({ ...readings, kinds })
}
