import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/**
 * The doors of InfluxDB 2.x (addresses, token, organisation, buckets) in front of a real 1.x server, which is what can
 * be started everywhere: so the 2.x way of addressing is tried with real writes and queries.
 */
export interface Influx2Front {
  url: string
  token: string
  org: string
  stop(): Promise<void>
}

interface Answer {
  status: number
  body?: string
}

const ORG = 'a city'
const ORG_ID = '0123456789abcdef'
const TOKEN = 'a-token=='

export async function startInflux2Front(backend: string): Promise<Influx2Front> {
  const server = createServer((request, response) => {
    answer(request, backend)
      .catch((error: unknown): Answer => json(500, { code: 'internal error', message: String(error) }))
      .then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(body)
      })
      .catch(() => response.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: TOKEN,
    org: ORG,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function answer(request: IncomingMessage, backend: string): Promise<Answer> {
  if (request.headers.authorization !== `Token ${TOKEN}`) {
    return json(401, { code: 'unauthorized', message: 'unauthorized access' })
  }
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://front')
  const body = await buffer(request)
  switch (`${request.method} ${pathname}`) {
    case 'POST /query':
      return forward(`${backend}/query?${searchParams.toString()}`, request, body)
    case 'POST /api/v2/write': {
      if (searchParams.get('org') !== ORG) return notFound('organization')
      const parameters = {
        db: searchParams.get('bucket') ?? '',
        precision: searchParams.get('precision') ?? '',
      }
      return forward(`${backend}/write?${new URLSearchParams(parameters).toString()}`, request, body)
    }
    case 'GET /api/v2/orgs':
      return searchParams.get('org') === ORG
        ? json(200, { orgs: [{ id: ORG_ID, name: ORG }] })
        : notFound('organization')
    case 'GET /api/v2/buckets': {
      if (searchParams.get('org') !== ORG) return notFound('organization')
      const name = searchParams.get('name') ?? ''
      return (await hasDatabase(backend, name))
        ? json(200, { buckets: [{ id: toId(name), name, retentionRules: await readRules(backend, name) }] })
        : notFound('bucket')
    }
    case 'POST /api/v2/buckets': {
      const { orgID, name, retentionRules } = JSON.parse(body.toString()) as NewBucket
      if (orgID !== ORG_ID) return notFound('organization')
      await queryBackend(backend, `CREATE DATABASE "${name}"`)
      await applyRules(backend, name, retentionRules)
      return json(201, { id: toId(name), name })
    }
    case 'POST /api/v2/delete': {
      if (searchParams.get('org') !== ORG) return notFound('organization')
      const { start, stop, predicate } = JSON.parse(body.toString()) as Record<string, string>
      const measurement = /^_measurement=(".*")$/.exec(predicate ?? '')?.[1]
      if (measurement === undefined) return json(400, { code: 'invalid', message: 'bad predicate' })
      const q = `DELETE FROM ${measurement} WHERE time >= '${start}' AND time <= '${stop}'`
      await queryBackend(backend, q, searchParams.get('bucket') ?? '')
      return { status: 204 }
    }
  }
  const bucketId = /^PATCH \/api\/v2\/buckets\/([0-9a-f]+)$/.exec(`${request.method} ${pathname}`)?.[1]
  if (bucketId === undefined) return notFound('path')
  const { retentionRules } = JSON.parse(body.toString()) as NewBucket
  await applyRules(backend, toName(bucketId), retentionRules)
  return json(200, { id: bucketId })
}

type RetentionRules = readonly { everySeconds: number; shardGroupDurationSeconds: number }[]

interface NewBucket {
  orgID: string
  name: string
  retentionRules: RetentionRules
}

/** 2.x: no rule leaves what is, 0 seconds are for ever. */
async function applyRules(backend: string, name: string, [rule]: RetentionRules): Promise<void> {
  if (!rule) return
  await queryBackend(
    backend,
    `ALTER RETENTION POLICY "autogen" ON "${name}" DURATION ${rule.everySeconds}s SHARD DURATION ${rule.shardGroupDurationSeconds}s`,
  )
}

async function readRules(backend: string, name: string): Promise<object[]> {
  const hours = /"autogen","(\d+)h?/.exec(
    await queryBackend(backend, `SHOW RETENTION POLICIES ON "${name}"`),
  )?.[1]
  const everySeconds = Number(hours) * 3_600
  return everySeconds === 0 ? [] : [{ type: 'expire', everySeconds }]
}

function toId(name: string): string {
  return Buffer.from(name).toString('hex')
}

function toName(id: string): string {
  return Buffer.from(id, 'hex').toString()
}

async function forward(
  url: string,
  { headers }: IncomingMessage,
  body: Buffer<ArrayBuffer>,
): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': headers['content-type'] ?? '',
      'content-encoding': headers['content-encoding'] ?? 'identity',
    },
    body,
  })
  return response.status === 204 ? { status: 204 } : { status: response.status, body: await response.text() }
}

async function hasDatabase(backend: string, name: string): Promise<boolean> {
  return (await queryBackend(backend, 'SHOW DATABASES')).includes(JSON.stringify([name]))
}

async function queryBackend(backend: string, q: string, db = ''): Promise<string> {
  const answer = await fetch(`${backend}/query`, { method: 'POST', body: new URLSearchParams({ db, q }) })
  const text = await answer.text()
  if (text.includes('"error"')) throw new Error(`${q}: ${text}`)
  return text
}

function notFound(what: string): Answer {
  return json(404, { code: 'not found', message: `${what} not found` })
}

function json(status: number, body: object): Answer {
  return { status, body: JSON.stringify(body) }
}
