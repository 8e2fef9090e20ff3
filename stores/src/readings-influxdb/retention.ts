import { RESOLUTIONS, WEEK_MS } from '@pulso/model'
import type { InfluxContent, InfluxServer } from './address.ts'

/** How long what is kept; `null` or `Infinity`: for ever. */
export type InfluxRetentionMs = Readonly<Record<InfluxContent, number | null>>

/**
 * What the server keeps in one piece, and forgets in one piece. A piece has an index of all its series: with the server's
 * week a day's aggregates would have seven points for each entry of it.
 */
const SHARD_MS: Readonly<Record<InfluxContent, number>> = {
  raw: WEEK_MS,
  '5m': WEEK_MS,
  '1h': 4 * WEEK_MS,
  '1d': 52 * WEEK_MS,
}

/** Creates what is missing and applies the retention where one is given: a shorter one deletes. */
export async function ensureBuckets(
  { api, buckets }: InfluxServer,
  retentionMs: InfluxRetentionMs | undefined,
): Promise<void> {
  for (const content of ['raw', ...RESOLUTIONS] as const) {
    const keepMs = retentionMs?.[content] ?? Infinity
    await api.ensureBucket(buckets[content].name, {
      ...(retentionMs && { retentionMs: Number.isFinite(keepMs) ? keepMs : null }),
      shardMs: SHARD_MS[content],
    })
  }
}
