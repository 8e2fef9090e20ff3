import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { InfluxDB, type ClientOptions } from '@influxdata/influxdb-client'
import type { Resolution } from '@pulso/model'
import { createVersion1 } from './version1.ts'
import { createVersion2 } from './version2.ts'
import type { InfluxVersionApi } from './version-api.ts'

export type InfluxVersion = '1' | '2'

/** What a bucket of its own is kept for: the readings, and each resolution of aggregates. */
export type InfluxContent = 'raw' | Resolution

export interface InfluxAddress {
  /** Like `http://127.0.0.1:8086`. */
  url: string
  version: InfluxVersion
  /** 2.x: an API token. 1.x: `user:password`, or null where the server asks for none. */
  token: string | null
  /** 2.x only. */
  org: string
  /** On 1.x the database. That of aggregates has the resolution behind its name. */
  bucket: string
  timeoutMs: number
}

export interface InfluxBucket {
  influx: InfluxDB
  name: string
  writePath: string
  /** InfluxQL is asked for here on both. */
  queryPath: string
}

export interface InfluxServer {
  buckets: Readonly<Record<InfluxContent, InfluxBucket>>
  /** For questions about all sensors, before whose answer the server is silent for long. */
  patient: { influx: InfluxDB; silenceMs: number }
  api: InfluxVersionApi
  close(): void
}

/** How many times longer than else. */
const PATIENCE = 6

export function createInfluxServer(address: InfluxAddress): InfluxServer {
  const { url, version, bucket, org, timeoutMs } = address
  const Agent = url.startsWith('https:') ? HttpsAgent : HttpAgent
  const agent = new Agent({ keepAlive: true })
  const connect = (timeout: number): InfluxDB =>
    new InfluxDB({ url, timeout, transportOptions: { agent }, ...toAuthentication(address) })
  const influx = connect(timeoutMs)
  const patient = { influx: connect(timeoutMs * PATIENCE), silenceMs: timeoutMs * PATIENCE }
  const connections = { influx, patient: patient.influx }
  const api = version === '1' ? createVersion1(connections) : createVersion2(connections, org)
  const toBucket = (name: string): InfluxBucket => ({
    influx,
    name,
    writePath: api.writePath(name),
    queryPath: `/query?${new URLSearchParams({ db: name, epoch: 'ms' }).toString()}`,
  })
  return {
    buckets: {
      raw: toBucket(bucket),
      '5m': toBucket(`${bucket}_5m`),
      '1h': toBucket(`${bucket}_1h`),
      '1d': toBucket(`${bucket}_1d`),
    },
    patient,
    api,
    close: () => agent.destroy(),
  }
}

/** 2.x takes a token; 1.x knows users, and only its last versions would take them in a token's form. */
function toAuthentication({ version, token }: InfluxAddress): Pick<ClientOptions, 'token' | 'headers'> {
  if (token === null || token === '') return {}
  if (version === '2') return { token }
  return { headers: { authorization: `Basic ${Buffer.from(token).toString('base64')}` } }
}
