import { HttpError, type InfluxDB } from '@influxdata/influxdb-client'
import { BucketsAPI, DeleteAPI, OrgsAPI, type Bucket } from '@influxdata/influxdb-client-apis'
import { AppError, HOUR_MS, SECOND_MS } from '@pulso/model'
import type { InfluxConnections, InfluxVersionApi } from './version-api.ts'

/** InfluxDB 2.x: buckets of an organisation, each with its retention. */
export function createVersion2({ influx, patient }: InfluxConnections, org: string): InfluxVersionApi {
  const buckets = new BucketsAPI(influx)
  return {
    writePath: (bucket) =>
      `/api/v2/write?${new URLSearchParams({ org, bucket, precision: 'ms' }).toString()}`,
    async ensureBucket(name, keeping) {
      const retentionRules = toRetentionRules(keeping)
      const bucket = await findBucket(buckets, { org, name })
      if (!bucket) {
        await buckets.postBuckets({ body: { orgID: await findOrgId(influx, org), name, retentionRules } })
      } else if (bucket.id !== undefined && isOther(bucket, retentionRules)) {
        await buckets.patchBucketsID({ bucketID: bucket.id, body: { retentionRules } })
      }
    },
    async deletePoints(bucket, { measurement, fromMs, toMs }) {
      await new DeleteAPI(patient).postDelete({
        org,
        bucket,
        body: {
          start: toRfc3339(fromMs),
          // The server includes its end.
          stop: toRfc3339(toMs - 1),
          predicate: `_measurement=${JSON.stringify(measurement)}`,
        },
      })
    },
    diskBytes: async () => null,
  }
}

type RetentionRules = { type: 'expire'; everySeconds: number; shardGroupDurationSeconds: number }[]

/** Nothing said: the server's own words hold. Zero seconds are for ever. */
function toRetentionRules({
  retentionMs,
  shardMs,
}: {
  retentionMs?: number | null
  shardMs: number
}): RetentionRules {
  if (retentionMs === undefined) return []
  return [
    {
      type: 'expire',
      everySeconds: Math.round((retentionMs ?? 0) / SECOND_MS),
      shardGroupDurationSeconds: Math.max(HOUR_MS, Math.min(shardMs, retentionMs ?? shardMs)) / SECOND_MS,
    },
  ]
}

function isOther({ retentionRules: current }: Bucket, [wanted]: RetentionRules): boolean {
  return wanted !== undefined && (current[0]?.everySeconds ?? 0) !== wanted.everySeconds
}

async function findOrgId(influx: InfluxDB, org: string): Promise<string> {
  const { orgs = [] } = await new OrgsAPI(influx).getOrgs({ org })
  const orgID = orgs[0]?.id
  if (orgID === undefined) {
    throw new AppError('readings-refused', `InfluxDB has no organisation '${org}'`)
  }
  return orgID
}

/** The server answers 404 rather than with an empty list. */
async function findBucket(
  buckets: BucketsAPI,
  request: { org: string; name: string },
): Promise<Bucket | undefined> {
  try {
    return (await buckets.getBuckets(request)).buckets?.[0]
  } catch (error) {
    if (error instanceof HttpError && error.statusCode === 404) return undefined
    throw error
  }
}

/** What lies before the years of four digits, nothing of ours does. */
function toRfc3339(timeMs: number): string {
  return new Date(Math.max(0, timeMs)).toISOString()
}
