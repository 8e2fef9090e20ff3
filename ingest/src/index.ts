export { createIngest, type Ingest, type IngestOptions, type IngestStatus } from './ingest.ts'
export { DEFAULT_INGEST_LIMITS, type IngestLimits } from './limits.ts'
export type { IngestStats } from './metrics.ts'
