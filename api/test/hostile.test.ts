import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { Problem, SensorCollection } from '@pulso/model'
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
    '0x1,0,2,1',
    '-3.9,43.4,-3.8,43.5,',
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

test('a cursor that we did not make, or that was changed, is refused', async (t) => {
  const sensors = ['a', 'b', 'c'].map((id) => toSensor(id))
  const { get } = await createTestApi(t, { sensors })
  const { next } = (await get('/api/v1/sensors?limit=1')).body as SensorCollection
  assert.ok(next)
  assert.equal((await get(`/api/v1/sensors?limit=1&cursor=${next}`)).status, 200)
  const changed = Array.from(
    next,
    (letter, at) => next.slice(0, at) + (letter === 'A' ? 'B' : 'A') + next.slice(at + 1),
  )
  const foreign = ['x', 'e30', '[1]', '["a"]', '["a","b"]'].flatMap((text) => [
    text,
    Buffer.from(text).toString('base64url'),
  ])
  for (const cursor of [
    ...changed,
    ...foreign,
    next.slice(1),
    next.slice(0, -1),
    `${next}A`,
    `${next}!`,
    `${next}=`,
  ])
    assertProblem(
      await get(`/api/v1/sensors?cursor=${encodeURIComponent(cursor)}`),
      { status: 400, code: 'invalid-cursor' },
      cursor,
    )
})

test('a parameter given twice, misspelt or in another notation is refused by name', async (t) => {
  const { get } = await createTestApi(t, { sensors: [toSensor('a')] })
  const refusals: [string, string, RegExp][] = [
    ['/api/v1/sensors?kind=bins&kind=parking', 'repeated-parameter', /'kind'.*kind=a,b/],
    ['/api/v1/sensors?limit=1&limit=1', 'repeated-parameter', /'limit'/],
    ['/api/v1/sensors?kind[]=bins', 'unknown-parameter', /'kind\[\]'.*kind, zone, bbox.*kind=a,b/],
    ['/api/v1/sensors?kinds=bins', 'unknown-parameter', /'kinds' here; there are kind, zone/],
    ['/api/v1/sensors?__proto__=1', 'unknown-parameter', /'__proto__'/],
    ['/api/v1/sensors?constructor=1', 'unknown-parameter', /'constructor'/],
    ['/api/v1/sensors?=1', 'unknown-parameter', /''/],
    ['/api/v1/city?lang=es', 'unknown-parameter', /this address takes none/],
    ['/api/v1/zones?zone=west', 'unknown-parameter', /there are kind/],
    ['/api/v1/sensors/a?limit=1', 'unknown-parameter', /takes none/],
    ['/api/v1/sensors?kind=%E0%A4%A', 'invalid-url', /UTF-8/],
    ['/api/v1/sensors?kind=%ff', 'invalid-url', /UTF-8/],
  ]
  for (const [path, code, detail] of refusals) {
    const answer = await get(path)
    assertProblem(answer, { status: 400, code }, path)
    assert.match((answer.body as Problem).detail, detail, path)
  }
  assert.equal((await get('/api/v1/sensors?')).status, 200)
  assert.equal((await get('/health/live?from=balancer')).status, 200)
})

test('unknown routes are told as problems, to people as text', async (t) => {
  const { get, post } = await createTestApi(t)
  assertProblem(await get('/api/v2/city'), { status: 404, code: 'unknown-route' }, '')
  assertProblem(await post('/api/v2/city', {}), { status: 404, code: 'unknown-route' }, '')
  const page = await get('/no/such/page', { accept: 'text/html' })
  assert.deepEqual([page.status, page.headers['content-type']], [404, 'text/plain; charset=utf-8'])
  assertProblem(await get('/api/v2/city', { accept: 'text/html' }), { status: 404 }, '')
})

test('a method that an address does not take is answered with those that it does', async (t) => {
  const { api } = await createTestApi(t)
  const refusals = [
    ['POST', '/api/v1/city', 'GET, HEAD'],
    ['DELETE', '/api/v1/sensors/a', 'GET, HEAD'],
    ['PUT', '/api/v1/session', 'POST, GET, HEAD, DELETE'],
    ['PATCH', '/api/v1/ops/overview', 'GET, HEAD'],
    ['OPTIONS', '/api/v1/ops/overview', 'GET, HEAD'],
  ] as const
  for (const [method, url, allow] of refusals) {
    const headers = { 'content-type': 'application/xml' }
    const answer = await api.app.inject({ method, url, headers, payload: '<a/>' })
    assert.equal(answer.headers.allow, allow)
    assertProblem(
      { status: answer.statusCode, headers: answer.headers, text: answer.payload, body: answer.json() },
      { status: 405, code: 'method-not-allowed' },
      url,
    )
  }
  const asked = await api.app.inject({ method: 'OPTIONS', url: '/api/v1/city' })
  assert.deepEqual([asked.statusCode, asked.headers.allow], [204, 'GET, HEAD, OPTIONS'])
})

test('an id that no sensor can have is not found or not valid, whatever its length', async (t) => {
  const { get } = await createTestApi(t, { sensors: [toSensor('a')] })
  for (const length of [64, 65, 255, 256, 257, 2_000, 14_000]) {
    const id = 'a'.repeat(length)
    const isPossible = length <= 64
    const expected = isPossible
      ? { status: 404, code: 'unknown-sensor' }
      : { status: 400, code: 'invalid-request' }
    assertProblem(await get(`/api/v1/sensors/${id}`), expected, `${length}`)
    assertProblem(await get(`/api/v1/sensors/${id}/history`), expected, `${length}`)
  }
  for (const id of ['a%20b', 'a%00', '%F0%9F%9A%97', 'a%2Fb', "a';--"]) {
    const answer = await get(`/api/v1/sensors/${id}`)
    assertProblem(answer, { status: 400, code: 'invalid-request' }, id)
    assert.match((answer.body as Problem).detail, /the part of the address 'id' must/)
  }
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
  assert.equal(fewer.status, 400)
  const { code, detail } = (await fewer.json()) as Problem
  assert.equal(code, 'unknown-parameter')
  assert.match(detail, /'p0'/)
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
