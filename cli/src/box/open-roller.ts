import { createRoller, type Roller } from '@pulso/ingest'
import { systemClock, type City, type Kinds } from '@pulso/model'
import type { Readings, RollupsRegistry } from '@pulso/stores'
import type { Logger } from 'pino'
import type { Registry as MetricsRegistry } from 'prom-client'
import type { Config } from '../config/config.ts'

/** What of the city its aggregates depend on. */
export type CityPlaces = Pick<City, 'zones' | 'timeZone'>

export interface RollerSetup {
  config: Config
  places: CityPlaces
  kinds: Kinds
  readings: Readings
  registry: RollupsRegistry
  logger: Logger
  metrics: MetricsRegistry
}

/** Whoever keeps the aggregates of these readings, with what the registry remembers. */
export async function openRoller({
  config,
  places,
  kinds,
  readings,
  registry,
  logger,
  metrics,
}: RollerSetup): Promise<Roller> {
  const roller = createRoller({
    rollups: readings.rollups,
    registry,
    kinds,
    ...places,
    retention: config.keepMs,
    clock: systemClock,
    logger,
    metrics,
  })
  await roller.load()
  return roller
}
