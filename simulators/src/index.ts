export * from './behaviour/create-behaviours.ts'
export type { Behaviour } from './behaviour/behaviour.ts'
export * from './load/load.ts'
export * from './readers/readers.ts'
export type { LatencySummary } from './load/latencies.ts'
export * from './plan/plan-virtual-city.ts'
export type { PlannedSensor } from './plan/planned-sensor.ts'
export * from './city/virtual-city.ts'
export * from './replay/clock-limits.ts'
export { readCsv, type CsvRecord } from './replay/csv-records.ts'
export * from './replay/open-replay.ts'
export * from './replay/options.ts'
export * from './replay/replay.ts'
export type { Segment } from './replay/segments.ts'
export type {
  Malformed,
  RecordedRow,
  RecordedSensor,
  ReplayFormat,
  ReplaySource,
  TimeRange,
} from './replay/source.ts'
