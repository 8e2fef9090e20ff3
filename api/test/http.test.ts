import assert from 'node:assert/strict'
import { brotliDecompressSync } from 'node:zlib'
import { test } from 'node:test'
import type { Problem } from '@pulso/model'
import { createTestApi, toSensor, toState, type Answer } from './helper.ts'

const MANY = Array.from({ length: 50 }, (_, index) => toSensor(`s${index}`))

test('an answer that did not change is not sent again', async (t) => {
  const { api, get } = await createTestApi(t, { sensors: [toSensor('a')] })
  for (const path of [
    '/api/v1/city',
    '/api/v1/zones',
    '/api/v1/sensors',
    '/api/v1/sensors/a',
    '/openapi.json',
  ]) {
    const first = await get(path)
    const etag = String(first.headers.etag)
    assert.match(etag, /^W\/"[\w-]+"$/, path)
    assert.equal(first.headers['cache-control'], 'public, no-cache')
    const second = await get(path, { 'if-none-match': `"other", ${etag}` })
    assert.deepEqual([second.status, second.text], [304, ''], path)
  }
  const { etag } = (await get('/api/v1/zones')).headers
  api.applyStates([toState('a', { fillLevel: 0.5 })])
  assert.equal((await get('/api/v1/zones', { 'if-none-match': String(etag) })).status, 200)
})

test('any site may read open data, and nothing else', async (t) => {
  const { get } = await createTestApi(t, { sensors: [toSensor('a')] })
  const origin = { origin: 'https://elsewhere.example' }
  for (const path of [
    '/api/v1/city',
    '/api/v1/zones',
    '/api/v1/sensors',
    '/api/v1/sensors/a',
    '/api/v1/sensors/none',
  ])
    assert.equal((await get(path, origin)).headers['access-control-allow-origin'], '*', path)
  for (const path of ['/api/v1/session', '/api/v1/ops/overview', '/metrics', '/health/ready', '/', '/docs'])
    assert.equal((await get(path, origin)).headers['access-control-allow-origin'], undefined, path)
})

test('every answer says what a page may load, and asks for no TLS that is not there', async (t) => {
  const { get } = await createTestApi(t)
  for (const path of ['/', '/api/v1/city', '/api/v1/nothing', '/docs', '/health/live']) {
    const { headers } = await get(path)
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /default-src 'self';script-src 'self';style-src 'self';worker-src blob:/, path)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /unsafe|upgrade-insecure|https?:/)
    assert.equal(headers['strict-transport-security'], undefined)
    assert.equal(headers['x-content-type-options'], 'nosniff')
  }
})

test('large answers are compressed, and their ETag holds for both forms', async (t) => {
  const { api, get } = await createTestApi(t, { sensors: MANY })
  const plain = await get('/api/v1/sensors')
  const packed = await api.app.inject({ url: '/api/v1/sensors', headers: { 'accept-encoding': 'br, gzip' } })
  assert.equal(packed.headers['content-encoding'], 'br')
  assert.match(String(packed.headers.vary), /accept-encoding/i)
  assert.equal(packed.headers.etag, plain.headers.etag)
  assert.equal(brotliDecompressSync(packed.rawPayload).toString(), plain.text)
})

test('an address that asks too often is told when to come back', async (t) => {
  const { get } = await createTestApi(t, { limits: { requestsPerSecond: 3 } })
  const answers: Answer[] = []
  for (let request = 0; request < 6; request++) answers.push(await get('/api/v1/city'))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 429, 429, 429],
  )
  const { headers, body } = answers.at(-1) ?? assert.fail()
  assert.equal((body as Problem).code, 'rate-limited')
  assert.equal(headers['retry-after'], '1')
  assert.match(String(headers['content-type']), /^application\/problem\+json/)
})

test('guessing addresses is bounded like asking', async (t) => {
  const { get } = await createTestApi(t, { limits: { requestsPerSecond: 3 } })
  const answers: Answer[] = []
  for (let request = 0; request < 6; request++) answers.push(await get(`/guess/${request}`))
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [404, 429])
})

test('durations are counted by route, never by what was asked', async (t) => {
  const { get, metrics } = await createTestApi(t)
  await get('/api/v1/sensors/one')
  await get('/api/v1/sensors/two')
  await get('/surprise')
  const text = (await metrics.metrics()).split('\n').filter((line) => line.includes('_count{'))
  assert.deepEqual(text, [
    'pulso_http_request_duration_seconds_count{method="GET",route="/api/v1/sensors/:id",status="404"} 2',
    'pulso_http_request_duration_seconds_count{method="GET",route="unknown",status="404"} 1',
  ])
})

test('/metrics gives the whole process’ metrics', async (t) => {
  const { get } = await createTestApi(t, { metricsText: async () => 'pulso_journal_depth 3\n' })
  const { text, headers } = await get('/metrics')
  assert.equal(text, 'pulso_journal_depth 3\n')
  assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/)
})
