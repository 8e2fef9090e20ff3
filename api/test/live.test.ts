import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { LiveEvent, Problem } from '@pulso/model'
import { bins, createTestApi, EAST, NOON_MS, toSensor, toState, WEST, type TestApi } from './helper.ts'
import { FAST, untilClients } from './live-support.ts'

interface Received {
  id: string
  event: string
  data: LiveEvent
}

interface Reader {
  /** The next event; heartbeats and the retry time are passed over. */
  next(): Promise<Received>
  /** Everything that arrived so far, as text. */
  text(): string
  ended: Promise<void>
}

/** Reads the feed as a browser would. */
async function openLive(
  t: TestContext,
  address: string,
  { query = '', lastEventId }: { query?: string; lastEventId?: string } = {},
): Promise<Reader> {
  const abort = new AbortController()
  t.after(() => abort.abort())
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const response = await fetch(`${address}/api/v1/live${query}`, { headers, signal: abort.signal })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-encoding'), null)
  const body = (response.body ?? assert.fail()).pipeThrough(new TextDecoderStream())
  let received = ''
  let rest = ''
  const events: Received[] = []
  const waiting: ((event: Received) => void)[] = []
  const read = async (): Promise<void> => {
    for await (const chunk of body) {
      received += chunk
      rest += chunk
      const blocks = rest.split('\n\n')
      rest = blocks.pop() ?? ''
      for (const event of blocks.flatMap(parseEvent)) (waiting.shift() ?? ((e) => events.push(e)))(event)
    }
  }
  const ended = read().catch((error: unknown) => {
    if (!abort.signal.aborted) throw error
  })
  return {
    next() {
      const known = events.shift()
      return known ? Promise.resolve(known) : new Promise((resolve) => waiting.push(resolve))
    },
    text: () => received,
    ended,
  }
}

function parseEvent(block: string): Received[] {
  const fields = Object.fromEntries(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  )
  const { id = '', event = '', data } = fields
  return data === undefined ? [] : [{ id, event, data: JSON.parse(data) as LiveEvent }]
}

const idsOf = ({ data }: Received): string[] => data.sensors.map(({ id }) => id)

test('the feed begins with a snapshot and goes on with what changes', async (t) => {
  const { api, address } = await createTestApi(t, { sensors: [toSensor('a'), toSensor('b')], limits: FAST })
  api.applyStates([toState('a', { fillLevel: 0.1, batteryLevel: 0.5 })])
  const reader = await openLive(t, address)
  const snapshot = await reader.next()
  assert.equal(snapshot.event, 'snapshot')
  assert.deepEqual(idsOf(snapshot), ['a', 'b'])
  assert.equal(snapshot.data.city.length, 4)
  assert.match(reader.text(), /^retry: 2000\n\n/)
  assert.doesNotMatch(reader.text(), /batteryLevel/)

  api.applyStates([toState('b', { fillLevel: 0.9 })])
  let delta = await reader.next()
  // The first may still carry what came in before the snapshot.
  while (!idsOf(delta).includes('b')) delta = await reader.next()
  assert.equal(delta.event, 'delta')
  assert.equal(delta.data.sensors.find(({ id }) => id === 'b')?.properties.state, 'full')
  assert.deepEqual(
    delta.data.zones.map(({ zone, kind, figures }) => [zone, kind, figures.full]),
    [['west', 'bins', 1]],
  )
})

test('many changes of one sensor within a tick go out as one, the last', async (t) => {
  const { api, address } = await createTestApi(t, { sensors: [toSensor('a')], limits: { liveTickMs: 50 } })
  const reader = await openLive(t, address)
  await reader.next()
  for (let step = 1; step <= 100; step++)
    api.applyStates([toState('a', { fillLevel: step / 100 }, { timeMs: NOON_MS + step })])
  const delta = await reader.next()
  assert.deepEqual(
    delta.data.sensors.map(({ properties }) => properties.values),
    [{ fillLevel: 1 }],
  )
})

test('a reader hears only of its kinds and its box', async (t) => {
  const sensors = [toSensor('a'), toSensor('b', { position: EAST }), toSensor('p', { kind: 'parking' })]
  const { api, address } = await createTestApi(t, { sensors, limits: FAST })
  const reader = await openLive(t, address, { query: '?kinds=bins&bbox=-3.9,43.4,-3.8,43.5' })
  const snapshot = await reader.next()
  assert.deepEqual(idsOf(snapshot), ['a'])
  assert.deepEqual([...new Set(snapshot.data.city.map(({ kind }) => kind))], ['bins'])
  api.applyStates([toState('p', { status: 'free' }, { kind: 'parking' })])
  api.applyStates([toState('a', { fillLevel: 0.9 })])
  assert.deepEqual(idsOf(await reader.next()), ['a'])
})

test('a sensor that moves out of the box is told to the box’s readers', async (t) => {
  const { registry, address } = await createTestApi(t, { sensors: [toSensor('a')], limits: FAST })
  const reader = await openLive(t, address, { query: '?bbox=-3.9,43.4,-3.8,43.5' })
  await reader.next()
  await registry.putSensors([toSensor('a', { position: EAST })])
  const delta = await reader.next()
  assert.deepEqual(delta.data.sensors[0]?.geometry?.coordinates, [EAST.lon, EAST.lat])
})

test('a new sensor appears without anybody asking', async (t) => {
  const { registry, address } = await createTestApi(t, { limits: FAST })
  const reader = await openLive(t, address)
  await reader.next()
  await registry.putSensors([toSensor('new')])
  assert.deepEqual(idsOf(await reader.next()), ['new'])
})

test('time alone is a change: a silent sensor becomes stale on the feed', async (t) => {
  const { api, address, clock } = await createTestApi(t, { sensors: [toSensor('a')], limits: FAST })
  api.applyStates([toState('a', { fillLevel: 0.1 })])
  const reader = await openLive(t, address)
  await reader.next()
  clock.nowMs += 2 * bins.intervalMs + 2_000
  let delta = await reader.next()
  while (delta.data.sensors[0]?.properties.freshness === 'fresh') delta = await reader.next()
  assert.equal(delta.data.sensors[0]?.properties.freshness, 'stale')
  assert.equal(delta.data.city[0]?.freshness.stale, 1)
})

test('a reader that comes back gets what it missed, each sensor once', async (t) => {
  const sensors = [toSensor('a'), toSensor('b'), toSensor('c')]
  const { api, address } = await createTestApi(t, { sensors, limits: FAST })
  const watcher = await openLive(t, address)
  const { id } = await watcher.next()
  for (const fillLevel of [0.1, 0.9]) {
    api.applyStates([toState('a', { fillLevel }), toState('b', { fillLevel })])
    await watcher.next()
  }
  const back = await openLive(t, address, { lastEventId: id })
  const missed = await back.next()
  assert.equal(missed.event, 'delta')
  assert.deepEqual(idsOf(missed).sort(), ['a', 'b'])
  assert.equal(missed.data.sensors[0]?.properties.state, 'full')
})

test('an event id of another run, or none of ours, gives a new snapshot', async (t) => {
  const { address } = await createTestApi(t, { sensors: [toSensor('a')], limits: FAST })
  const first = await (await openLive(t, address)).next()
  const run = first.id.slice(0, first.id.lastIndexOf('-'))
  for (const lastEventId of ['other-1', '', `${run}-999`, `${run}--1`]) {
    const reader = await openLive(t, address, { lastEventId })
    assert.equal((await reader.next()).event, 'snapshot', lastEventId)
  }
})

test('a quiet feed still shows that it is alive', async (t) => {
  const { address } = await createTestApi(t, { limits: { liveHeartbeatMs: 5 } })
  const response = await fetch(`${address}/api/v1/live`)
  const reader = (response.body ?? assert.fail()).pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (!text.includes(': still here\n\n')) text += (await reader.read()).value ?? ''
  await reader.cancel()
})

test('beyond the bound of readers the next one is told to wait', async (t) => {
  const { address, metrics } = await createTestApi(t, { limits: { ...FAST, liveClients: 1 } })
  const reader = await openLive(t, address)
  await reader.next()
  const refused = await fetch(`${address}/api/v1/live`)
  assert.equal(refused.status, 503)
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  assert.equal(((await refused.json()) as Problem).code, 'too-many-live-clients')
  assert.match(await metrics.metrics(), /pulso_live_clients 1\n/)
  assert.match(await metrics.metrics(), /pulso_live_clients_dropped_total\{reason="full"\} 1/)
})

test('a reader that leaves frees its place', async (t) => {
  const testApi = await createTestApi(t, { limits: { ...FAST, liveClients: 1 } })
  const { address } = testApi
  const abort = new AbortController()
  const response = await fetch(`${address}/api/v1/live`, { signal: abort.signal })
  assert.equal(response.status, 200)
  abort.abort()
  await untilClients(testApi, 0)
})

/** A reader that asks and then takes nothing. */
async function openFrozen(t: TestContext, { address }: TestApi): Promise<Socket> {
  const socket = connect({ port: Number(new URL(address).port), host: '127.0.0.1' })
  t.after(() => socket.destroy())
  socket.pause()
  socket.write('GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n')
  return socket
}

/** More than the kernel's buffers between us and a reader hold. */
const MANY = Array.from({ length: 3_000 }, (_, index) =>
  toSensor(`s${index}`, { position: index === 1 ? EAST : WEST, name: 'n'.repeat(8_000) }),
)
const ONLY_EAST = '?bbox=-3.79,43.4,-3.7,43.5'

test('a reader that takes nothing holds nobody up and is let go in the end', async (t) => {
  const limits = { ...FAST, liveSlowMs: 250 }
  const testApi = await createTestApi(t, { sensors: MANY, limits })
  const { api, address, clock, metrics } = testApi
  const socket = await openFrozen(t, testApi)
  await untilClients(testApi, 1)
  const reader = await openLive(t, address, { query: ONLY_EAST })
  await reader.next()
  for (let round = 1; round <= 5; round++) {
    clock.nowMs += 400
    api.applyStates([toState('s1', { fillLevel: round / 10 }, { timeMs: clock.nowMs })])
    await reader.next()
  }
  await untilClients(testApi, 1)
  assert.match(await metrics.metrics(), /pulso_live_clients_dropped_total\{reason="slow"\} 1/)
  socket.resume()
})

test('a slow reader gets the last of what it could not take, once it can', async (t) => {
  const testApi = await createTestApi(t, { sensors: MANY, limits: FAST })
  const { api, address } = testApi
  const socket = await openFrozen(t, testApi)
  await untilClients(testApi, 1)
  const reader = await openLive(t, address, { query: ONLY_EAST })
  await reader.next()
  for (let round = 1; round <= 9; round++) {
    api.applyStates([toState('s1', { fillLevel: round / 10 }, { timeMs: NOON_MS + round })])
    await reader.next()
  }
  // Deltas come last, so the end of what arrived is enough; it holds several.
  let end = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (end = (end + chunk).slice(-60_000)))
  socket.resume()
  while (!end.includes('"fillLevel":0.9')) await new Promise((resolve) => socket.once('data', resolve))
  // Nothing in between was queued for it.
  assert.equal(end.match(/event: delta/g)?.length, 1)
  assert.doesNotMatch(end, /"fillLevel":0\.[1-8]/)
})
