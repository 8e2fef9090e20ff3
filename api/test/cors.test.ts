import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Problem } from '@pulso/model'
import { createTestApi, toSensor, type TestApi } from './helper.ts'

const ATTACKER = 'https://attacker.example'

const PRIVATE = [
  ['POST', '/api/v1/session'],
  ['GET', '/api/v1/session'],
  ['DELETE', '/api/v1/session'],
  ['GET', '/api/v1/ops/overview'],
  ['GET', '/api/v1/ops/sensors'],
  ['GET', '/api/v1/ops/quarantine'],
  ['POST', '/api/v1/ops/quarantine/purge'],
  ['POST', '/api/v1/ops/quarantine/replay'],
  ['GET', '/metrics'],
  ['GET', '/health/ready'],
] as const

const corsHeadersOf = (headers: Record<string, unknown>): string[] =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'))

/** As a browser asks before it sends another site's request. */
async function preflight({ api }: TestApi, url: string, method: string) {
  return api.app.inject({
    method: 'OPTIONS',
    url,
    headers: {
      origin: ATTACKER,
      'access-control-request-method': method,
      'access-control-request-headers': 'content-type, if-none-match',
    },
  })
}

test('other sites may read open data with their own headers, after a preflight that is kept', async (t) => {
  const testApi = await createTestApi(t, { sensors: [toSensor('a')] })
  for (const url of [
    '/api/v1/city',
    '/api/v1/zones?kind=bins',
    '/api/v1/sensors/a',
    '/api/v1/sensors/a/history',
  ]) {
    const { statusCode, headers, payload } = await preflight(testApi, url, 'GET')
    assert.deepEqual([statusCode, payload], [204, ''], url)
    assert.equal(headers['access-control-allow-origin'], '*')
    assert.equal(headers['access-control-allow-methods'], 'GET, HEAD')
    assert.match(String(headers['access-control-allow-headers']), /If-None-Match/)
    assert.equal(headers['access-control-max-age'], '86400')
    assert.equal(headers['cache-control'], 'max-age=86400')
    assert.equal(headers['access-control-allow-credentials'], undefined)
  }
})

test('what other sites’ scripts may see of an answer includes its ETag, errors and rates too', async (t) => {
  const { get } = await createTestApi(t, { sensors: [toSensor('a')], limits: { requestsPerSecond: 3 } })
  const urls = ['/api/v1/city', '/api/v1/sensors/none', '/api/v1/sensors?bbox=1', '/api/v1/city']
  const answers = [
    await get(urls[0] ?? ''),
    await get(urls[1] ?? ''),
    await get(urls[2] ?? ''),
    await get(urls[3] ?? ''),
  ]
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 404, 400, 429],
  )
  for (const { headers } of answers) {
    assert.equal(headers['access-control-allow-origin'], '*')
    assert.match(String(headers['access-control-expose-headers']), /ETag.*Retry-After/)
    assert.equal(headers['access-control-allow-credentials'], undefined)
    assert.equal(headers['timing-allow-origin'], undefined)
  }
})

test('no preflight opens what is not open data', async (t) => {
  const testApi = await createTestApi(t)
  for (const [method, url] of PRIVATE) {
    const { statusCode, headers } = await preflight(testApi, url, method)
    assert.equal(statusCode, 405, url)
    assert.deepEqual(corsHeadersOf(headers), [], url)
    const plain = await testApi.api.app.inject({ method, url, headers: { origin: ATTACKER } })
    assert.deepEqual(corsHeadersOf(plain.headers), [], `${method} ${url}`)
  }
  for (const url of ['/', '/ops', '/docs/', '/api/v1/nothing', '/control']) {
    const { statusCode, headers } = await preflight(testApi, url, 'GET')
    assert.ok(statusCode >= 400 && statusCode < 500, url)
    assert.deepEqual(corsHeadersOf(headers), [], url)
  }
})

test('a preflight that speaks of open data opens no other method on it', async (t) => {
  const testApi = await createTestApi(t)
  const { headers } = await preflight(testApi, '/api/v1/city', 'DELETE')
  // The browser compares: DELETE is none of these.
  assert.equal(headers['access-control-allow-methods'], 'GET, HEAD')
})

test('another site’s page changes nothing, however its request is dressed', async (t) => {
  const { api } = await createTestApi(t)
  const dresses: Record<string, string>[] = [
    { origin: ATTACKER },
    { origin: 'null' },
    { origin: 'http://localhost' },
    { origin: 'http://127.0.0.1' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: ATTACKER, 'x-forwarded-host': 'attacker.example' },
    { origin: ATTACKER, 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'https' },
  ]
  for (const [method, url] of PRIVATE.filter(([name]) => name !== 'GET')) {
    for (const dress of dresses) {
      const answer = await api.app.inject({
        method,
        url,
        // What a form of another site can send without a preflight.
        headers: {
          host: 'city.example',
          cookie: 'pulso_session=stolen',
          'content-type': 'text/plain',
          ...dress,
        },
        ...(method === 'POST' && { payload: '{"password":"x"}' }),
      })
      // Operators' routes ask for the session first, and this one is none.
      const isRefused = answer.statusCode === 401 || answer.statusCode === 403
      assert.ok(isRefused, `${method} ${url} ${JSON.stringify(dress)}: ${answer.statusCode}`)
      assert.ok(['cross-origin', 'no-session'].includes(answer.json<Problem>().code))
    }
  }
})

test('own pages are not mistaken for another site’s, and a page of the same name elsewhere is', async (t) => {
  const { api } = await createTestApi(t, { trustedProxies: ['127.0.0.1'] })
  const logOut = async (headers: Record<string, string>): Promise<number> =>
    (await api.app.inject({ method: 'DELETE', url: '/api/v1/session', headers })).statusCode
  assert.equal(await logOut({ host: 'city.example', origin: 'https://city.example' }), 204)
  assert.equal(await logOut({ host: 'city.example:8443', origin: 'https://city.example' }), 403)
  assert.equal(
    await logOut({ host: 'inside:8080', 'x-forwarded-host': 'city.example', origin: 'https://city.example' }),
    204,
  )
  assert.equal(
    await logOut({ host: 'city.example', origin: 'https://city.example', 'sec-fetch-site': 'cross-site' }),
    403,
  )
})
