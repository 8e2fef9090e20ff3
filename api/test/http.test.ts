import assert from 'node:assert/strict'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { test } from 'node:test'
import type { Problem } from '@pulso/model'
import { waitFor } from '../../test/support/wait.ts'
import { createTestApi, toSensor, toState, type Answer } from './helper.ts'

const ENCODINGS = [
  ['br, gzip', 'br', brotliDecompressSync],
  ['gzip', 'gzip', gunzipSync],
  ['br;q=0, gzip;q=0.5', 'gzip', gunzipSync],
] as const

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
  // What changes goes out with the next tick, as on the live feed.
  await waitFor(async () => (await get('/api/v1/zones', { 'if-none-match': String(etag) })).status === 200, {
    what: 'the changed sums',
  })
  const { headers, text } = await get('/api/v1/zones')
  assert.notEqual(headers.etag, etag)
  assert.match(text, /"fill":0.5/)
})

test('an ETag is known whatever stands around it, and another one is not', async (t) => {
  const { get } = await createTestApi(t, { sensors: [toSensor('a')] })
  for (const path of ['/api/v1/city', '/api/v1/zones', '/api/v1/sensors']) {
    const etag = String((await get(path)).headers.etag)
    for (const known of [etag, `"x",${etag}`, etag.slice(2), '*', ` ${etag} `]) {
      const answer = await get(path, { 'if-none-match': known })
      assert.deepEqual([answer.status, answer.text], [304, ''], `${path} ${known}`)
      assert.equal(answer.headers.etag, etag)
      assert.equal(answer.headers['cache-control'], 'public, no-cache')
      assert.match(String(answer.headers.vary), /accept-encoding/)
    }
    for (const other of ['', '"', 'W/"', `${etag}x`, etag.slice(0, -2), '"*"'])
      assert.equal((await get(path, { 'if-none-match': other })).status, 200, `${path} ${other}`)
  }
})

test('HEAD tells the headers of GET, and no body', async (t) => {
  const { api } = await createTestApi(t, { sensors: MANY })
  for (const url of ['/api/v1/city', '/api/v1/zones', '/api/v1/sensors', '/api/v1/sensors/s1']) {
    const [asked, told] = [await api.app.inject({ url }), await api.app.inject({ url, method: 'HEAD' })]
    assert.deepEqual([told.statusCode, told.payload], [200, ''], url)
    for (const name of ['content-type', 'etag', 'cache-control', 'content-length'])
      assert.equal(told.headers[name], asked.headers[name], `${url} ${name}`)
  }
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

test('every page says what it may load, data may load nothing, and no TLS is asked for that is not there', async (t) => {
  const { get } = await createTestApi(t)
  const pages =
    /default-src 'self';script-src 'self';style-src 'self';worker-src blob:.*frame-ancestors 'none'/
  const data = /^default-src 'none'; frame-ancestors 'none'$/
  const policies: Record<string, RegExp> = {
    '/': pages,
    '/docs/': pages,
    '/api/v1/city': data,
    '/api/v1/session': data,
    '/api/v1/ops/overview': data,
    '/api/v1/nothing': data,
    '/openapi.json': data,
    '/health/live': data,
    '/%': data,
  }
  for (const [path, policy] of Object.entries(policies)) {
    const { headers } = await get(path)
    assert.match(String(headers['content-security-policy']), policy, path)
    assert.doesNotMatch(String(headers['content-security-policy']), /unsafe|upgrade-insecure|https?:/)
    assert.equal(headers['strict-transport-security'], undefined)
    assert.equal(headers['x-content-type-options'], 'nosniff', path)
  }
})

test('large answers are compressed, and their ETag holds for every form', async (t) => {
  const { api, get } = await createTestApi(t, { sensors: MANY })
  for (const url of ['/api/v1/sensors', '/api/v1/city', '/openapi.json']) {
    const plain = await get(url)
    assert.equal(plain.headers['content-encoding'], undefined)
    assert.match(String(plain.headers.vary), /accept-encoding/i)
    for (const [accepted, encoding, unpack] of ENCODINGS) {
      const packed = await api.app.inject({ url, headers: { 'accept-encoding': accepted } })
      assert.equal(packed.headers['content-encoding'], encoding, `${url} ${accepted}`)
      assert.match(String(packed.headers.vary), /accept-encoding/i)
      assert.equal(packed.headers.etag, plain.headers.etag)
      assert.equal(unpack(packed.rawPayload).toString(), plain.text)
    }
    const none = await api.app.inject({ url, headers: { 'accept-encoding': 'identity, br;q=0, zip' } })
    assert.deepEqual([none.headers['content-encoding'], none.payload], [undefined, plain.text])
  }
})

test('a tiny answer is not compressed', async (t) => {
  const { api } = await createTestApi(t, { sensors: [toSensor('a')] })
  for (const url of ['/api/v1/sensors/a', '/api/v1/zones?kind=parking', '/health/live']) {
    const { headers } = await api.app.inject({ url, headers: { 'accept-encoding': 'br' } })
    assert.equal(headers['content-encoding'], undefined, url)
  }
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
  assert.equal(headers.ratelimit, '"client";r=0;t=1')
  assert.equal(headers['ratelimit-policy'], '"client";q=3;w=1')
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
