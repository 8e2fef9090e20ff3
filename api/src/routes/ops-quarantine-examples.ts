import {
  MINUTE_MS,
  toIsoTime,
  type QuarantinePage,
  type QuarantinePurged,
  type QuarantineReplayed,
  type QuarantineTotals,
} from '@pulso/model'
import { EXAMPLE_MS } from './examples.ts'

const receivedAt = toIsoTime(EXAMPLE_MS - MINUTE_MS)
const mistake = {
  reason: 'out-of-range',
  sensor: 'bay-042',
  metric: 'temperature',
} as const
const sample = {
  detail: 'temperature 400 is outside -50 to 60',
  topic: 'pulso/any/bay-042/telemetry',
  payload: '{"temperature":400}',
}

/** Answers for the OpenAPI document. */
export const EXAMPLE_QUARANTINE: QuarantinePage = {
  entries: [{ id: 1_042, receivedAt, ...mistake, ...sample, hex: null }],
  next: null,
}

export const EXAMPLE_TOTALS: QuarantineTotals = {
  totals: [
    {
      id: 7,
      ...mistake,
      count: 3_612,
      kept: 100,
      firstReceivedAt: toIsoTime(EXAMPLE_MS - 61 * MINUTE_MS),
      lastReceivedAt: receivedAt,
      sample,
    },
  ],
  entries: 100,
  bytes: 1_900,
  dropped: 3_512,
}

export const EXAMPLE_REPLAYED: QuarantineReplayed = {
  entries: 200,
  messages: 198,
  refused: 3,
  settled: true,
  next: { after: 1_042, through: 1_311 },
}

export const EXAMPLE_PURGED: QuarantinePurged = { removed: 100, next: null }
