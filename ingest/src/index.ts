export {
  defineCodec,
  type Codec,
  type Codecs,
  type DecodedUplink,
  type Fields,
  type Telemetry,
  type Uplink,
} from './codec.ts'
export { createIngest, type Ingest, type IngestOptions, type IngestStatus } from './ingest.ts'
export { DEFAULT_INGEST_LIMITS, type IngestLimits } from './limits.ts'
export { loadCodecs } from './load-codecs.ts'
export { loadMemory, type Memory } from './memory.ts'
export type { IngestStats } from './metrics.ts'
export { DEFAULT_ROLLUP_LIMITS, type RollupLimits } from './rollup/limits.ts'
export type { RebuildAnswer, RebuildRequest } from './rollup/rebuild.ts'
export type { Retention } from './rollup/retention.ts'
export { createRoller, type Roller, type RollerOptions, type RollupStatus } from './rollup/roller.ts'
export { DEFAULT_SOURCE_LIMITS, type SourceLimits } from './source/limits.ts'
export { createSourceMetrics, type SourceMetrics } from './source/metrics.ts'
export { createMqttSource, type MqttSource } from './source/mqtt-source.ts'
export type { MqttSourceOptions, Qos, SourceSettings, SourceStatus, TopicStatus } from './source/options.ts'
