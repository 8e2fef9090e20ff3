import { startInfluxd } from '../../stores/test/support/influxd.ts'
import { skipWithout } from './programs.ts'

/** The readings drivers that the whole-system tests run with. */
export const READINGS_DRIVERS = ['duckdb', 'influxdb'] as const
export type ReadingsDriver = (typeof READINGS_DRIVERS)[number]

/** Why this driver's tests are skipped here, or false. */
export function skipDriver(driver: ReadingsDriver): string | false {
  return driver === 'influxdb' ? skipWithout('influxd') : false
}

/** Runs the action with the settings of a store of this kind; a real server is started and ended where it needs one. */
export async function withReadings<T>(
  driver: ReadingsDriver,
  action: (env: Record<string, string>) => Promise<T>,
): Promise<T> {
  if (driver === 'duckdb') return action({ PULSO_READINGS: 'duckdb' })
  const influxd = await startInfluxd()
  try {
    return await action({
      PULSO_READINGS: 'influxdb',
      PULSO_INFLUX_VERSION: '1',
      PULSO_INFLUX_URL: influxd.url,
    })
  } finally {
    await influxd.stop()
  }
}
