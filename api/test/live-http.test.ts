import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiveEvent, Problem } from '@pulso/model'
import { waitFor } from '../../test/support/wait.ts'
import { createTestApi, NOON_MS, toSensor, toState } from './helper.ts'
import { FAST, openRaw, parseChunked, toRequest, untilClients } from './live-support.ts'

const LIVE = '/api/v1/live'

test('the answer’s head says what proxies and browsers must know, and carries what every open answer carries', async (t) => {
  const testApi = await createTestApi(t, { limits: FAST })
  const reader = await openRaw(t, testApi, toRequest(LIVE, { headers: 'Accept-Encoding: br, gzip\r\n' }))
  const head = (await reader.until(/event: snapshot/)).split('\r\n\r\n', 1)[0]?.toLowerCase() ?? ''
  assert.match(head, /^http\/1\.1 200 ok\r\n/)
  for (const line of [
    'content-type: text/event-stream; charset=utf-8',
    'cache-control: no-store',
    'x-accel-buffering: no',
    'transfer-encoding: chunked',
    'access-control-allow-origin: *',
    'x-content-type-options: nosniff',
  ])
    assert.ok(head.includes(line), line)
  assert.match(head, /content-security-policy: /)
  assert.doesNotMatch(head, /content-encoding|content-length/)
})

test('what goes over the wire is a chunked answer of whole events', async (t) => {
  const sensors = Array.from({ length: 400 }, (_, index) => toSensor(`s${index}`, { name: 'é'.repeat(200) }))
  const testApi = await createTestApi(t, { sensors, limits: FAST })
  const reader = await openRaw(t, testApi, toRequest(LIVE))
  await reader.until(/event: snapshot[^]*\n\n/)
  testApi.api.applyStates([toState('s7', { fillLevel: 0.9 })])
  await reader.until(/event: delta[^]*\n\n/)
  const { body, isComplete } = parseChunked(reader.text())
  assert.equal(isComplete, false)
  const events = Buffer.from(body, 'latin1').toString().split('\n\n')
  assert.equal(events[0], 'retry: 2000')
  const [snapshot, delta] = events.slice(1, 3).map((event) => {
    const lines = event.split('\n')
    const data = lines.find((line) => line.startsWith('data: '))?.slice('data: '.length)
    return JSON.parse(data ?? 'null') as LiveEvent | null
  })
  assert.equal(snapshot?.sensors.length, 400)
  assert.equal(new Set(snapshot.sensors.map(({ id }) => id)).size, 400)
  assert.equal(snapshot.sensors[0]?.properties.name, 'é'.repeat(200))
  assert.deepEqual(
    delta?.sensors.map(({ id }) => id),
    ['s7'],
  )
})

test('a reader of HTTP/1.0, which knows no chunks, gets the events as they are', async (t) => {
  const testApi = await createTestApi(t, { sensors: [toSensor('a')], limits: FAST })
  const reader = await openRaw(t, testApi, toRequest(LIVE, { version: '1.0' }))
  await reader.until(/event: snapshot/)
  testApi.api.applyStates([toState('a', { fillLevel: 0.9 })])
  const text = await reader.until(/event: delta[^]*\n\n/)
  const [head = '', ...rest] = text.split('\r\n\r\n')
  assert.doesNotMatch(head.toLowerCase(), /transfer-encoding/)
  assert.match(
    rest.join(''),
    /^retry: 2000\n\nid: \S+\nevent: snapshot\ndata: \{.*\}\n\nid: \S+\nevent: delta\n/,
  )
})

test('HEAD tells what the answer would be like and opens no feed', async (t) => {
  const testApi = await createTestApi(t, { limits: FAST })
  const response = await fetch(`${testApi.address}${LIVE}`, { method: 'HEAD' })
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/)
  assert.match(await testApi.metrics.metrics(), /pulso_live_clients 0\n/)
})

test('a Last-Event-ID that was never an id of a feed is refused, and takes no place', async (t) => {
  const testApi = await createTestApi(t, { limits: { ...FAST, liveClients: 1 } })
  for (const id of [
    'x',
    '-1',
    'run-',
    'run-1x',
    `run-${'9'.repeat(30)}`,
    `${'r'.repeat(80)}-1`,
    'é-1',
    "';--1",
  ]) {
    const reader = await openRaw(
      t,
      testApi,
      toRequest(LIVE, { headers: `Last-Event-ID: ${id}\r\nConnection: close\r\n` }),
    )
    await reader.ended
    const [head = '', body = ''] = reader.text().split('\r\n\r\n')
    assert.match(head, /^HTTP\/1\.1 400 /, id)
    assert.equal((JSON.parse(body) as Problem).code, 'invalid-last-event-id', id)
  }
  const reader = await openRaw(t, testApi, toRequest(LIVE))
  await reader.until(/event: snapshot/)
})

test('a feed behind other requests on one connection is refused instead of kept waiting', async (t) => {
  const testApi = await createTestApi(t, { limits: FAST })
  const reader = await openRaw(t, testApi, toRequest(LIVE) + toRequest(LIVE))
  await reader.until(/event: snapshot/)
  testApi.api.applyStates([])
  assert.match(await testApi.metrics.metrics(), /pulso_live_clients 1\n/)
})

test('a reader that leaves in the middle of its snapshot frees its place and what it held', async (t) => {
  const sensors = Array.from({ length: 3_000 }, (_, index) =>
    toSensor(`s${index}`, { name: 'n'.repeat(8_000) }),
  )
  const testApi = await createTestApi(t, { sensors, limits: FAST })
  const reader = await openRaw(t, testApi, toRequest(LIVE))
  await reader.until(/event: snapshot/)
  reader.socket.pause()
  await untilClients(testApi, 1)
  reader.socket.resetAndDestroy()
  await untilClients(testApi, 0)
  const next = await openRaw(t, testApi, toRequest(`${LIVE}?kinds=parking`))
  await next.until(/event: snapshot[^]*\n\n/)
  await waitFor(async () => (await testApi.metrics.metrics()).includes('pulso_live_unsent_bytes 0\n'), {
    what: 'nothing to be held any more',
  })
})

test('a reader that closes its side has left', async (t) => {
  const testApi = await createTestApi(t, { sensors: [toSensor('a')], limits: FAST })
  const reader = await openRaw(t, testApi, toRequest(LIVE))
  await reader.until(/event: snapshot/)
  reader.socket.end()
  await untilClients(testApi, 0)
  testApi.api.applyStates([toState('a', { fillLevel: 0.9 }, { timeMs: NOON_MS + 1 })])
  await reader.ended
})

test('what a reader sends behind its request ends its feed and nobody else’s', async (t) => {
  const testApi = await createTestApi(t, { sensors: [toSensor('a')], limits: FAST })
  const other = await openRaw(t, testApi, toRequest(LIVE))
  const reader = await openRaw(t, testApi, `${toRequest(LIVE)}\u0000\u0001 this is no request\r\n\r\n`)
  await reader.ended
  await untilClients(testApi, 1)
  testApi.api.applyStates([toState('a', { fillLevel: 0.9 })])
  await other.until(/event: delta/)
})

test('when the server stops, the answer comes to its end', async (t) => {
  const testApi = await createTestApi(t, { limits: FAST })
  const reader = await openRaw(t, testApi, toRequest(LIVE))
  await reader.until(/event: snapshot[^]*\n\n/)
  await testApi.api.stop()
  await reader.ended
})
