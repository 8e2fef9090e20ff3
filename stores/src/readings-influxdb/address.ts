import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { HttpError, InfluxDB, type ClientOptions } from '@influxdata/influxdb-client'
import { BucketsAPI, OrgsAPI } from '@influxdata/influxdb-client-apis'
import { AppError } from '@pulso/model'
import { quoteIdentifier } from './influxql.ts'

export type InfluxVersion = '1' | '2'

export interface InfluxAddress {
  /** Like `http://127.0.0.1:8086`. */
  url: string
  version: InfluxVersion
  /** 2.x: an API token. 1.x: `user:password`, or null where the server asks for none. */
  token: string | null
  /** 2.x only. */
  org: string
  /** On 1.x the database. */
  bucket: string
  timeoutMs: number
}

/** All that InfluxDB 1.x and 2.x do differently: where they take writes, how they know us, how a bucket is made. */
export interface InfluxServer {
  influx: InfluxDB
  writePath: string
  /** InfluxQL is asked for here on both. */
  queryPath: string
  ensureBucket(): Promise<void>
  close(): void
}

export function createInfluxServer(address: InfluxAddress): InfluxServer {
  const { url, version, bucket, org } = address
  const Agent = url.startsWith('https:') ? HttpsAgent : HttpAgent
  const agent = new Agent({ keepAlive: true })
  const influx = new InfluxDB({
    url,
    timeout: address.timeoutMs,
    transportOptions: { agent },
    ...toAuthentication(address),
  })
  const queryPath = `/query?${new URLSearchParams({ db: bucket, epoch: 'ms' }).toString()}`
  const writeParameters: Record<string, string> =
    version === '1' ? { db: bucket, precision: 'ms' } : { org, bucket, precision: 'ms' }
  return {
    influx,
    queryPath,
    writePath: `${version === '1' ? '/write' : '/api/v2/write'}?${new URLSearchParams(writeParameters).toString()}`,
    ensureBucket: () =>
      version === '1' ? ensureDatabase(influx, bucket) : ensureBucket(influx, { org, bucket }),
    close: () => agent.destroy(),
  }
}

/** 2.x takes a token; 1.x knows users, and only its last versions would take them in a token's form. */
function toAuthentication({ version, token }: InfluxAddress): Pick<ClientOptions, 'token' | 'headers'> {
  if (token === null || token === '') return {}
  if (version === '2') return { token }
  return { headers: { authorization: `Basic ${Buffer.from(token).toString('base64')}` } }
}

async function ensureDatabase(influx: InfluxDB, database: string): Promise<void> {
  const q = `CREATE DATABASE ${quoteIdentifier(database)}`
  await influx.transport.request('/query', new URLSearchParams({ q }).toString(), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
  })
}

async function ensureBucket(
  influx: InfluxDB,
  { org, bucket }: { org: string; bucket: string },
): Promise<void> {
  const buckets = new BucketsAPI(influx)
  if (await hasBucket(buckets, { org, name: bucket })) return
  const { orgs = [] } = await new OrgsAPI(influx).getOrgs({ org })
  const orgID = orgs[0]?.id
  if (orgID === undefined) {
    throw new AppError('readings-refused', `InfluxDB has no organisation '${org}'`)
  }
  await buckets.postBuckets({ body: { orgID, name: bucket, retentionRules: [] } })
}

/** The server answers 404 rather than with an empty list. */
async function hasBucket(buckets: BucketsAPI, request: { org: string; name: string }): Promise<boolean> {
  try {
    return ((await buckets.getBuckets(request)).buckets ?? []).length > 0
  } catch (error) {
    if (error instanceof HttpError && error.statusCode === 404) return false
    throw error
  }
}
