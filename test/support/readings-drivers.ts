import { skipWithout } from './programs.ts'

/** The readings drivers that the whole-system tests run with, and what each needs. */
export const READINGS_DRIVERS = ['duckdb', 'influxdb'] as const
export type ReadingsDriver = (typeof READINGS_DRIVERS)[number]

export function skipDriver(driver: ReadingsDriver): string | false {
  return driver === 'influxdb' ? skipWithout('influxd') : false
}
