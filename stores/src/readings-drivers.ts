/**
 * The drivers of the readings. Apart from the rest of the stores, since their libraries are large and one thread alone
 * opens the readings.
 */
export { openDuckdbReadings, type DuckdbReadingsOptions } from './readings-duckdb/readings.ts'
export { exportDuckdbRollups, type ExportedTable } from './readings-duckdb/export-rollups.ts'
export { openDuckdbFileSnapshot } from './readings-duckdb/snapshot.ts'
export { openInfluxReadings, type InfluxReadingsOptions } from './readings-influxdb/readings.ts'
