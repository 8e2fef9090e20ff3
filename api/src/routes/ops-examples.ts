import { MINUTE_MS, toIsoTime, type OpsOverview, type OpsSensors } from '@pulso/model'
import { toCursor } from '../http/query.ts'
import { EXAMPLE_MS } from './examples.ts'

const time = toIsoTime(EXAMPLE_MS)
const receivedAt = toIsoTime(EXAMPLE_MS - MINUTE_MS)

/** Answers for the OpenAPI document. */
export const EXAMPLE_OVERVIEW: OpsOverview = {
  time,
  startedAt: toIsoTime(EXAMPLE_MS - 90 * MINUTE_MS),
  journal: { depth: 12, oldestAgeMs: 180, bytes: 2_064, maxBytes: 8_589_934_592, full: null },
  ingest: {
    state: 'running',
    error: null,
    messagesPerSecond: 41.5,
    readingsPerSecond: 43,
    readingsStored: 231_402,
    readingsDuplicate: 118,
    readingsCorrected: 2,
    messagesQuarantined: 7,
  },
  connections: 990,
  liveClients: 3,
  stores: [{ name: 'registry', driver: 'sqlite', ok: true, detail: null }],
  quarantine: [{ reason: 'out-of-range', count: 7 }],
}

export const EXAMPLE_OPS_SENSORS: OpsSensors = {
  time,
  total: 1_042,
  sensors: [
    {
      id: 'bay-042',
      kind: 'any',
      name: null,
      zone: null,
      placed: true,
      state: 'unknown',
      freshness: 'offline',
      presence: 'offline',
      batteryLevel: 0.08,
      rssi: -97,
      time: receivedAt,
      receivedAt,
      quarantined: 2,
    },
  ],
  next: toCursor([EXAMPLE_MS - MINUTE_MS, 'bay-042']),
}
