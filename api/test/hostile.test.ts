import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { Problem } from '@pulso/model'
import { createTestApi, openTestReadings, toSensor, type Answer } from './helper.ts'

function assertProblem(answer: Answer, expected: { status: number; code?: string }, about: string): void {
  assert.equal(answer.status, expected.status, about)
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/, about)
  const { status, code, type, detail } = answer.body as Problem
  assert.equal(status, expected.status)
  if (expected.code !== undefined) assert.equal(code, expected.code, about)
  assert.equal(type, `urn:pulso:problem:${code}`)
  assert.ok(detail.length > 10 && detail.length < 600, detail)
}

const ODD_TEXTS = [
  '',
  ' ',
  '%00',
  '%E0%A4%A',
  '%F0%9F%9A%97',
  '..%2F..%2Fetc%2Fpasswd',
  '__proto__',
  'constructor',
  'a'.repeat(300),
  "'; DROP TABLE sensors; --".replaceAll(' ', '%20'),
  '%3Cscript%3E',
  '-1',
  '0',
  '1e309',
  'NaN',
  'null',
  '[]',
  '{}',
  '9'.repeat(400),
  ',',
  ',,,',
  '1,2,3,4',
  '-3.9,43.4,-3.8,43.5',
  '2026-05-31T12:00:00Z',
]

test('no question, however odd, is answered as our own fault', async (t) => {
  const readings = await openTestReadings(t)
  const { get } = await createTestApi(t, {
    sensors: [toSensor('a')],
    readings,
    limits: { requestsPerSecond: 100_000 },
  })
  const routes = [
    (odd: string) => `/${odd}`,
    (odd: string) => `/api/v1/${odd}`,
    (odd: string) => `/api/v1/sensors/${odd}`,
    (odd: string) => `/api/v1/sensors/${odd}/history`,
    ...['kind', 'zone', 'bbox', 'state', 'limit', 'cursor'].map(
      (name) => (odd: string) => `/api/v1/sensors?${name}=${odd}`,
    ),
    ...['metric', 'from', 'to', 'step'].map(
      (name) => (odd: string) => `/api/v1/sensors/a/history?${name}=${odd}`,
    ),
    (odd: string) => `/api/v1/zones?kind=${odd}`,
    (odd: string) => `/basemap/schematic.json?v=${odd}`,
    (odd: string) => `/api/v1/ops/sensors?sort=${odd}`,
    (odd: string) => `/docs/${odd}`,
  ]
  for (const toPath of routes) {
    for (const odd of ODD_TEXTS) {
      const answer = await get(toPath(odd))
      assert.ok(answer.status < 500, `${toPath(odd)}: ${answer.status} ${answer.text}`)
      if (answer.status >= 400) assertProblem(answer, { status: answer.status }, toPath(odd))
    }
  }
})

test('a wrong box is refused with the order that is right', async (t) => {
  const { get } = await createTestApi(t)
  const boxes = [
    '1,2,3',
    '1,2,3,4,5',
    'a,b,c,d',
    '1,,3,4',
    '43.4,-3.9,43.5,-3.8',
    '-3.8,43.4,-3.9,43.5',
    '-200,0,0,1',
    '0,-91,1,1',
    '0,0,1,Infinity',
  ]
  for (const box of boxes) {
    const answer = await get(`/api/v1/sensors?bbox=${box}`)
    assertProblem(answer, { status: 400, code: 'invalid-bbox' }, box)
    assert.match((answer.body as Problem).detail, /longitude \(lon\) before latitude \(lat\)/)
  }
  const swapped = await get('/api/v1/sensors?bbox=43.4,-3.9,43.5,-3.8')
  assert.match((swapped.body as Problem).detail, /swap them/)
})

test('limits beyond the bound are refused, not clipped', async (t) => {
  const { get } = await createTestApi(t)
  for (const limit of ['0', '-5', '10001', '1.5', 'all', '99999999999999999999'])
    assertProblem(
      await get(`/api/v1/sensors?limit=${limit}`),
      { status: 400, code: 'invalid-request' },
      limit,
    )
  assert.equal((await get('/api/v1/sensors?limit=10000')).status, 200)
})

test('a cursor that we did not make is refused', async (t) => {
  const { get } = await createTestApi(t)
  for (const cursor of [
    'x',
    'e30',
    Buffer.from('[1]').toString('base64url'),
    Buffer.from('["a","b"]').toString('base64url'),
  ])
    assertProblem(
      await get(`/api/v1/sensors?cursor=${cursor}`),
      { status: 400, code: 'invalid-cursor' },
      cursor,
    )
})

test('the same parameter twice is refused', async (t) => {
  const { get } = await createTestApi(t)
  assertProblem(
    await get('/api/v1/sensors?kind=bins&kind=parking'),
    { status: 400, code: 'invalid-request' },
    '',
  )
})

test('unknown routes and methods are told as problems, to people as text', async (t) => {
  const { get, post } = await createTestApi(t)
  assertProblem(await get('/api/v2/city'), { status: 404, code: 'unknown-route' }, '')
  assertProblem(await post('/api/v1/city', {}), { status: 404, code: 'unknown-route' }, '')
  const page = await get('/no/such/page', { accept: 'text/html' })
  assert.deepEqual([page.status, page.headers['content-type']], [404, 'text/plain; charset=utf-8'])
  assertProblem(await get('/api/v2/city', { accept: 'text/html' }), { status: 404 }, '')
})

test('bodies that are wrong, too large or of another type are refused', async (t) => {
  const { api, post } = await createTestApi(t)
  const send = async (payload: string, type = 'application/json'): Promise<Answer> => {
    const { statusCode, headers, body } = await api.app.inject({
      method: 'POST',
      url: '/api/v1/session',
      headers: { 'content-type': type },
      payload,
    })
    return { status: statusCode, headers, text: body, body: JSON.parse(body) as unknown }
  }
  assertProblem(await send('{"password":'), { status: 400, code: 'invalid-json' }, 'cut off')
  assertProblem(await send(''), { status: 400, code: 'invalid-json' }, 'empty')
  assertProblem(await send('[]'), { status: 400, code: 'invalid-request' }, 'a list')
  assertProblem(
    await send('{"__proto__":{"x":1},"password":"x"}'),
    { status: 400, code: 'invalid-json' },
    'poison',
  )
  assertProblem(await send('<a/>', 'application/xml'), { status: 415, code: 'unsupported-media-type' }, 'XML')
  assertProblem(
    await post('/api/v1/session', { password: 'x'.repeat(20_000) }),
    { status: 413, code: 'payload-too-large' },
    'large',
  )
  assertProblem(
    await post('/api/v1/session', { password: 'x'.repeat(2_000) }),
    { status: 400, code: 'invalid-request' },
    'long',
  )
})

test('thousands of parameters end at the door', async (t) => {
  const { address } = await createTestApi(t)
  const query = Array.from({ length: 5_000 }, (_, index) => `p${index}=${index}`).join('&')
  const answer = await fetch(`${address}/api/v1/sensors?${query}`)
  assert.equal(answer.status, 431)
  assert.equal(((await answer.json()) as Problem).code, 'request-too-large')
  const fewer = await fetch(`${address}/api/v1/sensors?${query.slice(0, 8_000)}`)
  assert.equal(fewer.status, 200)
})

test('what is not HTTP at all gets an answer and the end of the line', async (t) => {
  const { address } = await createTestApi(t)
  const socket = connect(Number(new URL(address).port), '127.0.0.1')
  socket.end('\x10\x2aMQTT, is it?\r\n\r\n')
  const answer = await text(socket)
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
  assert.match(answer, /"code":"invalid-request"/)
  assert.match(answer, /\r\ncontent-security-policy: default-src 'none'/)
})

test('an address that cannot be read is answered under a policy too', async (t) => {
  const { get } = await createTestApi(t)
  const answer = await get('/%')
  assertProblem(answer, { status: 400, code: 'invalid-url' }, '/%')
  assert.match(String(answer.headers['content-security-policy']), /default-src 'none'/)
})

test('our own faults are told without their inside', async (t) => {
  const failing = {
    history: () => Promise.reject(new Error('secret at /home/x')),
    check: () => Promise.resolve(),
  }
  const { get } = await createTestApi(t, { sensors: [toSensor('a')], readings: failing })
  const answer = await get('/api/v1/sensors/a/history')
  assertProblem(answer, { status: 500, code: 'internal' }, '')
  assert.doesNotMatch(answer.text, /secret|stack|at /)
})
