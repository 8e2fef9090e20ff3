import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { ApiError, createApi, toQueryString } from '../src/shared/api.ts'

/** The client with a real server behind it, which answers as told. */
async function serve(t: TestContext, answer: RequestListener, timeoutMs = 2_000) {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return createApi({ fetch: (path, init) => fetch(new URL(path as string, base), init), timeoutMs })
}

test('gives the answer, with the question written into the address', async (t) => {
  const api = await serve(t, (request, response) => response.end(JSON.stringify({ asked: request.url })))
  assert.deepEqual(await api.get('/x', { query: { kind: 'bins', zone: undefined, limit: 5 } }), {
    asked: '/x?kind=bins&limit=5',
  })
})

test('passes on the server’s own explanation and code', async (t) => {
  const api = await serve(t, (_, response) => {
    response.writeHead(404, { 'content-type': 'application/problem+json' })
    response.end(
      JSON.stringify({ status: 404, code: 'unknown-sensor', title: 'Gone', detail: 'No such sensor' }),
    )
  })
  await assert.rejects(api.sensor('a/b'), (error: unknown) => {
    assert.ok(error instanceof ApiError)
    assert.deepEqual(
      [error.reason, error.status, error.code, error.message],
      ['problem', 404, 'unknown-sensor', 'No such sensor'],
    )
    return true
  })
})

test('keeps the status of an answer that is no problem document', async (t) => {
  const api = await serve(t, (_, response) => response.writeHead(502).end('<html>'))
  await assert.rejects(api.city(), { reason: 'problem', status: 502, code: 'http-502' })
})

test('says that nobody answered', async () => {
  const api = createApi({ fetch: () => Promise.reject(new TypeError('refused')) })
  await assert.rejects(api.city(), { reason: 'network', status: 0 })
})

test('gives up on an answer that takes too long', async (t) => {
  const api = await serve(t, () => undefined, 50)
  await assert.rejects(api.city(), { reason: 'timeout' })
})

test('has no query string without a question', () => {
  assert.equal(toQueryString({ kind: undefined }), '')
})
