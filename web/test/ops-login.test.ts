import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { it, type TestContext } from 'node:test'
import { createApi } from '../src/shared/api.ts'
import { createOpsApi } from '../src/ops/ops-api.ts'

/** The operators' interface over a real server that answers as told. */
async function connect(t: TestContext, answer: RequestListener) {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const fetchThere: typeof fetch = (path, init) => fetch(`${origin}${path as string}`, init)
  return { opsApi: createOpsApi(createApi({ fetch: fetchThere }), fetchThere), server }
}

const answerWith =
  (status: number, body: unknown, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(body))

const credentials = { name: '', password: 'secret' }

it('lets an operator in who has the right password, with or without a name', async (t) => {
  const bodies: unknown[] = []
  const session = { operator: 'ana', expiresAt: '2026-03-01T12:00:00.000Z' }
  const { opsApi } = await connect(t, (request, response) => {
    void request.toArray().then((chunks) => {
      bodies.push(JSON.parse(Buffer.concat(chunks as Buffer[]).toString()))
      answerWith(200, session)(request, response)
    })
  })
  assert.deepEqual(await opsApi.login(credentials), { outcome: 'in', session })
  await opsApi.login({ name: 'ana', password: 'secret' })
  assert.deepEqual(bodies, [{ password: 'secret' }, { name: 'ana', password: 'secret' }])
})

it('tells a wrong password from too many tries, with the wait', async (t) => {
  const wrong = await connect(t, answerWith(401, { code: 'wrong-password' }))
  assert.deepEqual(await wrong.opsApi.login(credentials), { outcome: 'wrong' })
  const many = await connect(t, answerWith(429, {}, { 'retry-after': '42' }))
  assert.deepEqual(await many.opsApi.login(credentials), { outcome: 'too-many', waitMs: 42_000 })
  const unsaid = await connect(t, answerWith(429, {}, { 'retry-after': 'Sun, 01 Mar 2026 12:00:00 GMT' }))
  assert.deepEqual(await unsaid.opsApi.login(credentials), { outcome: 'too-many', waitMs: null })
})

it('does not blame the password when the box is away or in trouble', async (t) => {
  const { opsApi, server } = await connect(t, answerWith(503, {}))
  assert.deepEqual(await opsApi.login(credentials), { outcome: 'unreachable' })
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  assert.deepEqual(await opsApi.login(credentials), { outcome: 'unreachable' })
  const broken = await connect(t, answerWith(500, { detail: 'The registry is full' }))
  assert.deepEqual(await broken.opsApi.login(credentials), {
    outcome: 'failed',
    detail: 'The registry is full',
  })
})
